// Simulation models of the multipliers of Gowin's LittleBee and Arora, for netlists of synth_gowin:
// Yosys has none.
//
// Written from Gowin's description of the DSP block (UG287), for the uses that synth_gowin makes of
// it: operands from A and B, without registers. ASIGN and BSIGN tell whether an operand is signed.
module MULT9X9 (
    input [8:0] A, SIA, B, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [17:0] DOUT
);
  wire signed [19:0] product = $signed({ASIGN & A[8], A}) * $signed({BSIGN & B[8], B});
  assign DOUT = product[17:0];
endmodule

module MULT18X18 (
    input [17:0] A, SIA, B, SIB,
    input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output [35:0] DOUT
);
  wire signed [37:0] product = $signed({ASIGN & A[17], A}) * $signed({BSIGN & B[17], B});
  assign DOUT = product[35:0];
endmodule

module MULT36X36 (
    input [35:0] A, B,
    input ASIGN, BSIGN, CE, CLK, RESET,
    output [71:0] DOUT
);
  wire signed [73:0] product = $signed({ASIGN & A[35], A}) * $signed({BSIGN & B[35], B});
  assign DOUT = product[71:0];
endmodule

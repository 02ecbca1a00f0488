// Simulation model of the multiplier of the ECP5's DSP block, for netlists of synth_ecp5. Yosys has
// none.
//
// Written from Lattice's description of the DSP block (FPGA-TN-02205), for the uses that Spikeloom
// makes of it: operands from A and B, registers with clock 0, enable 0 and no reset, or none.
module MULT18X18D (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);

  parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_OUTPUT_CLK = "NONE";
  parameter REG_INPUTA_CE = "CE0", REG_INPUTB_CE = "CE0", REG_OUTPUT_CE = "CE0";
  parameter REG_INPUTA_RST = "RST0", REG_INPUTB_RST = "RST0", REG_OUTPUT_RST = "RST0";

  wire [17:0] a = {
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
  };
  wire [17:0] b = {
    B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
  };
  reg [18:0] held_a = 0, held_b = 0;
  reg [35:0] held_p = 0;

  // The sign, or a zero, extends an operand.
  wire [18:0] used_a = REG_INPUTA_CLK == "NONE" ? {SIGNEDA & A17, a} : held_a;
  wire [18:0] used_b = REG_INPUTB_CLK == "NONE" ? {SIGNEDB & B17, b} : held_b;
  wire signed [37:0] product = $signed(used_a) * $signed(used_b);
  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
    P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = REG_OUTPUT_CLK == "NONE" ? product[35:0] : held_p;

  always @(posedge CLK0) if (CE0) begin
    held_a <= {SIGNEDA & A17, a};
    held_b <= {SIGNEDB & B17, b};
    held_p <= product[35:0];
  end
endmodule

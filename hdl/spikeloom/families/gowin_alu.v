// Simulation model of the ALU of Gowin's LittleBee and Arora, for netlists of synth_gowin. The one
// of Yosys begins with x where all inputs but the carry are constant, as nothing ever changes there.
//
// Written from Gowin's description of the configurable logic (UG288). A bit of a sum: the carry
// goes on where `propagate` is high, else it is `generated`.
module ALU (
    input I0, I1, I3, CIN,
    output SUM, COUT
);
  parameter ALU_MODE = 0;
  localparam ADD = 0, SUB = 1, ADDSUB = 2, NE = 3, GE = 4, LE = 5, UP = 6, DOWN = 7, UPDOWN = 8,
      MULT = 9;

  wire propagate =
      ALU_MODE == ADD ? I0 ^ I1 :
      ALU_MODE == ADDSUB ? I0 ^ I1 ^ !I3 :
      ALU_MODE == UP ? I0 :
      ALU_MODE == DOWN ? !I0 :
      ALU_MODE == UPDOWN ? I0 ^ !I3 :
      ALU_MODE == MULT ? (I0 & I1) ^ I3 :
      I0 ^ !I1;
  wire generated =
      ALU_MODE == NE || ALU_MODE == DOWN ? 1'b1 :
      ALU_MODE == UP ? 1'b0 :
      ALU_MODE == LE ? I1 :
      ALU_MODE == MULT ? I0 & I1 :
      I0;

  assign SUM = propagate ^ CIN;
  assign COUT = propagate ? CIN : generated;
endmodule

// Simulation model of the ECP5 block RAM, for netlists of synth_ecp5. Yosys has none.
//
// Written from Lattice's description of the block RAM (FPGA-TN-02204). 2,048 units of nine bits; a
// port reads and writes 1, 2, 4, 9, 18 or, on both sides together, 36 bits: writing takes side A,
// reading side B. The output latch of a port changes with CE and, in write mode NORMAL, only if the
// port does not write. The output register loads the latch with OCE, independent of CE. Both
// power up as 0. RST clears the latch, and the register if OCE is high. Chip selects are constant.
//
// A unit that the other port writes in the cycle of a read reads as x: Lattice does not define it.
module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CSA2, CSA1, CSA0,
    input CLKA, CEA, OCEA, WEA, RSTA,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CSB2, CSB1, CSB0,
    input CLKB, CEB, OCEB, WEB, RSTB,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);

  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "AUTO";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB", OCEAMUX = "OCEA", OCEBMUX = "OCEB";
  parameter [319:0]
    INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0,
    INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0,
    INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0,
    INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 = 0,
    INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0,
    INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0,
    INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0,
    INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0,
    INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
    INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0,
    INITVAL_36 = 0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
    INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  localparam [64*320-1:0] INITIAL = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };

  reg [8:0] memory [0:2047];
  integer n;
  initial for (n = 0; n < 2048; n = n + 1) memory[n] = INITIAL[(n / 2) * 20 + (n % 2) * 9 +: 9];

  // Pins as vectors, with the inverters of the block.
  wire [35:0] di = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0,
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0
  };
  wire [13:0] ad_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] ad_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire clk_a = CLKA ^ (CLKAMUX == "INV"), clk_b = CLKB ^ (CLKBMUX == "INV");
  wire oce_a = OCEA ^ (OCEAMUX == "INV"), oce_b = OCEB ^ (OCEBMUX == "INV");
  wire reset_a = RSTA & (RESETMODE == "ASYNC"), reset_b = RSTB & (RESETMODE == "ASYNC");

  // Units of a port, and which of them it writes: 18 and 36 bits have an enable per unit.
  localparam UNITS_A = DATA_WIDTH_A / 9, UNITS_B = DATA_WIDTH_B / 9;
  localparam WIDE = DATA_WIDTH_A == 36, READS_WIDE = DATA_WIDTH_B == 36;
  wire [3:0] writes_a = (!CEA || (!WEA && !WIDE)) ? 4'd0 : (UNITS_A <= 1) ? 4'd1 :
      WIDE ? ad_a[3:0] : {2'd0, ad_a[1:0]};
  wire [3:0] writes_b = (!CEB || !WEB || READS_WIDE) ? 4'd0 : (UNITS_B <= 1) ? 4'd1 :
      {2'd0, ad_b[1:0]};
  wire [10:0] unit_a = ad_a[13:3] & ~((UNITS_A > 1) ? UNITS_A - 1 : 0);
  wire [10:0] unit_b = ad_b[13:3] & ~((UNITS_B > 1) ? UNITS_B - 1 : 0);

  // A word of less than nine bits within its unit, and such a unit with a word replaced.
  function [8:0] part(input integer width, input [2:0] place, input [8:0] unit);
    part = (width >= 9) ? unit : (unit >> (place & ~(width - 1))) & ((1 << width) - 1);
  endfunction
  function [8:0] replaced(
      input integer width, input [2:0] place, input [8:0] unit, input [8:0] value);
    replaced = (width >= 9) ? value : (unit & ~(((1 << width) - 1) << (place & ~(width - 1)))) |
        ((value & ((1 << width) - 1)) << (place & ~(width - 1)));
  endfunction

  // Whether the other port writes unit `unit` in this cycle.
  function written(input [3:0] writes, input [10:0] first, input [10:0] unit);
    written = (unit - first < 4) && writes[unit - first];
  endfunction

  reg [35:0] latch_a = 0, latch_b = 0, register_a = 0, register_b = 0;
  integer a, b;
  always @(posedge clk_a or posedge reset_a) begin
    if (reset_a) begin
      latch_a <= 0;
      register_a <= 0;
    end else begin
      if (oce_a) register_a <= RSTA ? 36'd0 : latch_a;
      for (a = 0; a < 4; a = a + 1) if (writes_a[a])
        memory[unit_a + a] <= replaced(
            DATA_WIDTH_A, ad_a[2:0], memory[unit_a + a], di[a * 9 +: 9]);
      if (CEA && !WIDE) for (a = 0; a < 2; a = a + 1) if (a == 0 || a < UNITS_A) begin
        if (written(writes_b, unit_b, unit_a + a)) latch_a[a * 9 +: 9] <= 9'bx;
        else if (!WEA || WRITEMODE_A == "READBEFOREWRITE" ||
            (WRITEMODE_A == "WRITETHROUGH" && !writes_a[a]))
          latch_a[a * 9 +: 9] <= part(DATA_WIDTH_A, ad_a[2:0], memory[unit_a + a]);
        else if (WRITEMODE_A == "WRITETHROUGH")
          latch_a[a * 9 +: 9] <= di[a * 9 +: 9];
      end
      if (RSTA) latch_a <= 0;
    end
  end
  always @(posedge clk_b or posedge reset_b) begin
    if (reset_b) begin
      latch_b <= 0;
      register_b <= 0;
    end else begin
      if (oce_b) register_b <= RSTB ? 36'd0 : latch_b;
      for (b = 0; b < 2; b = b + 1) if (writes_b[b])
        memory[unit_b + b] <= replaced(
            DATA_WIDTH_B, ad_b[2:0], memory[unit_b + b], di[18 + b * 9 +: 9]);
      if (CEB) for (b = 0; b < 4; b = b + 1) if (b == 0 || b < UNITS_B) begin
        if (written(writes_a, unit_a, unit_b + b)) latch_b[b * 9 +: 9] <= 9'bx;
        else if (READS_WIDE || !WEB || WRITEMODE_B == "READBEFOREWRITE" ||
            (WRITEMODE_B == "WRITETHROUGH" && !writes_b[b]))
          latch_b[b * 9 +: 9] <= part(DATA_WIDTH_B, ad_b[2:0], memory[unit_b + b]);
        else if (WRITEMODE_B == "WRITETHROUGH")
          latch_b[b * 9 +: 9] <= di[18 + b * 9 +: 9];
      end
      if (RSTB) latch_b <= 0;
    end
  end

  // A word of 36 bits leaves from both sides, its low half from side A.
  wire [35:0] word_a = (REGMODE_A == "OUTREG") ? register_a : latch_a;
  wire [35:0] word_b = (REGMODE_B == "OUTREG") ? register_b : latch_b;
  wire [35:0] low = (REGMODE_A == "OUTREG") ? register_b : latch_b;
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0
  } = READS_WIDE ? low[17:0] : word_a[17:0];
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0
  } = READS_WIDE ? word_b[35:18] : word_b[17:0];

endmodule

// Simulation models of the block RAMs of Gowin's LittleBee and Arora, for netlists of synth_gowin:
// Yosys has none.
//
// Written from Gowin's description of the block RAM (SUG283). 16,384 bits and 2,048 parity bits; a
// port is 1, 2, 4, 8, 16 or 32 bits wide, or 9, 18 or 36 with parity. Of ports of 16 bits and more,
// the low address bits enable bytes. The output of a port changes with CE; a port of DPB, DPX9B, SP
// and SPX9 that writes keeps it (WRITE_MODE 0), passes the written data (1), or reads what was
// there before (2, of SP and SPX9). RESET clears it. There is no output register here: Yosys uses
// none. BLKSEL is constant.
//
// A unit that the other port writes in the cycle of a read reads as x: Gowin does not define it.

// The memory and two ports. BITS is 8 or 9, the bits of a unit; a port has WIDTH_A or WIDTH_B bits.
module gowin_block_ram #(
    parameter BITS = 9, WIDTH_A = 18, WIDTH_B = 18, MODE_A = 0, MODE_B = 0, RESET_MODE = "SYNC",
    parameter [2048*BITS-1:0] INITIAL = 0
) (
    input clka, cea, wrea, reseta,
    input [13:0] ada,
    input [35:0] dia,
    output reg [35:0] doa,
    input clkb, ceb, wreb, resetb,
    input [13:0] adb,
    input [35:0] dib,
    output reg [35:0] dob
);

  reg [BITS-1:0] memory [0:2047];
  integer n;
  initial begin
    for (n = 0; n < 2048; n = n + 1) memory[n] = INITIAL[n * BITS +: BITS];
    doa = 0;
    dob = 0;
  end

  // What each port writes in this cycle: the units from `first`, `units` of them.
  wire writes_a = cea & wrea, writes_b = ceb & wreb;
  localparam UNITS_A = WIDTH_A < 16 ? 1 : WIDTH_A < 32 ? 2 : 4;
  localparam UNITS_B = WIDTH_B < 16 ? 1 : WIDTH_B < 32 ? 2 : 4;
  wire [10:0] first_a = ada[13:3] & ~(UNITS_A - 1), first_b = adb[13:3] & ~(UNITS_B - 1);
  wire [3:0] enable_a = UNITS_A == 1 ? 4'b1 : ada[3:0], enable_b = UNITS_B == 1 ? 4'b1 : adb[3:0];

  function automatic [35:0] read_units(
      input [10:0] first, input [2:0] place, input integer units, input integer width,
      input other_writes, input [10:0] other_first, input integer other_units
  );
    integer unit;
    reg [BITS-1:0] value;
    begin
      read_units = 0;
      for (unit = 0; unit < units; unit = unit + 1) begin
        value = memory[first + unit];
        if (other_writes && first + unit >= other_first && first + unit < other_first + other_units)
          value = {BITS{1'bx}};
        read_units[unit * BITS +: BITS] = value;
      end
      if (width < BITS) read_units = (read_units >> place) & ((1 << width) - 1);
    end
  endfunction

  wire [35:0] read_a =
      read_units(first_a, ada[2:0], UNITS_A, WIDTH_A, writes_b, first_b, UNITS_B);
  wire [35:0] read_b =
      read_units(first_b, adb[2:0], UNITS_B, WIDTH_B, writes_a, first_a, UNITS_A);

  task write_units(
      input [10:0] first, input [2:0] place, input [3:0] enable, input integer units,
      input integer width, input [35:0] value
  );
    integer unit, k;
    for (unit = 0; unit < units; unit = unit + 1) begin
      if (width < BITS) begin
        for (k = 0; k < width; k = k + 1) memory[first][place + k] <= value[k];
      end else if (enable[unit]) memory[first + unit] <= value[unit * BITS +: BITS];
    end
  endtask

  always @(posedge clka) begin
    if (reseta && RESET_MODE == "SYNC") doa <= 0;
    else if (cea) begin
      if (!wrea || MODE_A == 2) doa <= read_a;
      else if (MODE_A == 1) doa <= dia;
    end
    if (writes_a) write_units(first_a, ada[2:0], enable_a, UNITS_A, WIDTH_A, dia);
  end

  always @(posedge clkb) begin
    if (resetb && RESET_MODE == "SYNC") dob <= 0;
    else if (ceb) begin
      if (!wreb || MODE_B == 2) dob <= read_b;
      else if (MODE_B == 1) dob <= dib;
    end
    if (writes_b) write_units(first_b, adb[2:0], enable_b, UNITS_B, WIDTH_B, dib);
  end

endmodule

// Port A writes, port B reads.
module SDPB (
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB,
    input [13:0] ADA, ADB,
    input [31:0] DI,
    input [2:0] BLKSELA, BLKSELB,
    output [31:0] DO
);
  parameter READ_MODE = 1'b0, RESET_MODE = "SYNC";
  parameter BIT_WIDTH_0 = 32, BIT_WIDTH_1 = 32, BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter [255:0]
    INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
    INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
    INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
    INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
    INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
    INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
    INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
    INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
    INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  wire [35:0] unused, value;
  assign DO = value[31:0];
  gowin_block_ram #(
      .BITS(8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .RESET_MODE(RESET_MODE),
      .INITIAL({
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
        INIT_RAM_00
      })
  ) ram (
      CLKA, CEA, 1'b1, 1'b0, ADA, {4'b0, DI}, unused, CLKB, CEB, 1'b0, RESETB, ADB, 36'b0, value
  );
endmodule

// Port A writes, port B reads.
module SDPX9B (
    input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB,
    input [13:0] ADA, ADB,
    input [35:0] DI,
    input [2:0] BLKSELA, BLKSELB,
    output [35:0] DO
);
  parameter READ_MODE = 1'b0, RESET_MODE = "SYNC";
  parameter BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36, BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter [287:0]
    INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
    INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
    INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
    INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
    INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
    INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
    INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
    INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
    INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  wire [35:0] unused, value;
  assign DO = value[35:0];
  gowin_block_ram #(
      .BITS(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .RESET_MODE(RESET_MODE),
      .INITIAL({
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
        INIT_RAM_00
      })
  ) ram (
      CLKA, CEA, 1'b1, 1'b0, ADA, DI, unused, CLKB, CEB, 1'b0, RESETB, ADB, 36'b0, value
  );
endmodule

// Both ports read and write.
module DPB (
    input CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB,
    input [13:0] ADA, ADB,
    input [2:0] BLKSELA, BLKSELB,
    input [15:0] DIA, DIB,
    output [15:0] DOA, DOB
);
  parameter READ_MODE0 = 1'b0, READ_MODE1 = 1'b0, WRITE_MODE0 = 2'b00, WRITE_MODE1 = 2'b00;
  parameter BIT_WIDTH_0 = 16, BIT_WIDTH_1 = 16, BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  parameter [255:0]
    INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
    INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
    INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
    INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
    INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
    INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
    INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
    INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
    INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  wire [35:0] value_a, value_b;
  assign DOA = value_a[15:0], DOB = value_b[15:0];
  gowin_block_ram #(
      .BITS(8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0),
      .MODE_B(WRITE_MODE1), .RESET_MODE(RESET_MODE), .INITIAL({
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
        INIT_RAM_00
      })
  ) ram (
      CLKA, CEA, WREA, RESETA, ADA, {20'b0, DIA}, value_a,
      CLKB, CEB, WREB, RESETB, ADB, {20'b0, DIB}, value_b
  );
endmodule

// Both ports read and write.
module DPX9B (
    input CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB,
    input [13:0] ADA, ADB,
    input [2:0] BLKSELA, BLKSELB,
    input [17:0] DIA, DIB,
    output [17:0] DOA, DOB
);
  parameter READ_MODE0 = 1'b0, READ_MODE1 = 1'b0, WRITE_MODE0 = 2'b00, WRITE_MODE1 = 2'b00;
  parameter BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18, BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  parameter [287:0]
    INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
    INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
    INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
    INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
    INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
    INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
    INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
    INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
    INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  wire [35:0] value_a, value_b;
  assign DOA = value_a[17:0], DOB = value_b[17:0];
  gowin_block_ram #(
      .BITS(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0),
      .MODE_B(WRITE_MODE1), .RESET_MODE(RESET_MODE), .INITIAL({
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
        INIT_RAM_00
      })
  ) ram (
      CLKA, CEA, WREA, RESETA, ADA, {18'b0, DIA}, value_a,
      CLKB, CEB, WREB, RESETB, ADB, {18'b0, DIB}, value_b
  );
endmodule

// One port.
module SP (
    output [31:0] DO,
    input [31:0] DI,
    input [2:0] BLKSEL,
    input [13:0] AD,
    input WRE, CLK, CE, OCE, RESET
);
  parameter READ_MODE = 1'b0, WRITE_MODE = 2'b00, BIT_WIDTH = 32, BLK_SEL = 3'b000;
  parameter RESET_MODE = "SYNC";
  parameter [255:0]
    INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
    INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
    INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
    INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
    INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
    INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
    INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
    INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
    INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  wire [35:0] value, unused;
  assign DO = value[31:0];
  gowin_block_ram #(
      .BITS(8), .WIDTH_A(BIT_WIDTH), .WIDTH_B(BIT_WIDTH), .MODE_A(WRITE_MODE),
      .RESET_MODE(RESET_MODE), .INITIAL({
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
        INIT_RAM_00
      })
  ) ram (
      CLK, CE, WRE, RESET, AD, {4'b0, DI}, value, CLK, 1'b0, 1'b0, 1'b0, 14'b0, 36'b0, unused
  );
endmodule

// One port.
module SPX9 (
    output [35:0] DO,
    input [35:0] DI,
    input [2:0] BLKSEL,
    input [13:0] AD,
    input WRE, CLK, CE, OCE, RESET
);
  parameter READ_MODE = 1'b0, WRITE_MODE = 2'b00, BIT_WIDTH = 36, BLK_SEL = 3'b000;
  parameter RESET_MODE = "SYNC";
  parameter [287:0]
    INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
    INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
    INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
    INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
    INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
    INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
    INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
    INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
    INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
    INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
    INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;

  wire [35:0] value, unused;
  assign DO = value[35:0];
  gowin_block_ram #(
      .BITS(9), .WIDTH_A(BIT_WIDTH), .WIDTH_B(BIT_WIDTH), .MODE_A(WRITE_MODE),
      .RESET_MODE(RESET_MODE), .INITIAL({
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
        INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
        INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
        INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
        INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
        INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
        INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
        INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
        INIT_RAM_00
      })
  ) ram (
      CLK, CE, WRE, RESET, AD, DI, value, CLK, 1'b0, 1'b0, 1'b0, 14'b0, 36'b0, unused
  );
endmodule

// Clock and reset of the SoC, until its program tells how it went.
module bench;
  reg clk = 0;
  reg rst = 1;
  wire [7:0] verdict;

  always #5 clk = !clk;

  soc soc (.clk(clk), .rst(rst), .verdict(verdict));

  initial begin
    repeat (4) @(posedge clk);
    rst <= 0;
    repeat (20000) @(posedge clk) if (verdict !== 8'd0) begin
      $display("verdict %0d at %0t", verdict, $time / 10);
      $finish;
    end
    $display("no verdict");
    $finish;
  end
endmodule

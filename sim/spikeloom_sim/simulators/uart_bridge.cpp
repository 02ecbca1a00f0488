// A simulated device with its UART connected to standard input and output.
//
// Simulated time advances only on commands, so that a session is reproducible. Commands, with
// little-endian numbers of four bytes:
//   w PERIOD N BYTES   queue bytes to send, PERIOD 256ths of a cycle per bit
//   r CLOCKS STOP      run until byte STOP is received, or both directions are idle for CLOCKS
//   t CLOCKS           run for CLOCKS
//   x CLOCKS           run for CLOCKS with reset asserted
// r, t and x answer with the cycle count (8 bytes), the number of received bytes, and the bytes.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace {

struct Byte {
    uint8_t value;
    uint32_t period;
};

class Bridge {
  public:
    explicit Bridge(uint32_t divisor) : divisor_(divisor), top_(new Vtop) { top_->rx = 1; }

    void send(uint8_t value, uint32_t period) { sending_.push_back({value, period}); }

    // One cycle: drive rx, tick, sample tx. Returns whether byte `stop` was received.
    bool step(int stop) {
        drive();
        top_->clk = 0;
        top_->eval();
        top_->clk = 1;
        top_->eval();
        clock_++;
        return listen() && received.back() == stop;
    }

    void run(uint32_t clocks, int stop) {
        for (uint32_t silent = 0; silent < clocks; silent++) {
            if (step(stop)) return;
            if (!sending_.empty() || left_ > 0) silent = 0;
        }
    }

    void pass(uint32_t clocks, bool reset) {
        top_->rst = reset;
        while (clocks-- > 0) step(-1);
        top_->rst = 0;
    }

    uint64_t clock() const { return clock_; }
    std::vector<uint8_t> received;

  private:
    // Drive rx: start bit, eight data bits, stop bit.
    void drive() {
        if (sending_.empty()) return;
        uint32_t bit = phase_ / sending_.front().period;
        if (bit == 10) {
            phase_ -= 10 * sending_.front().period;
            bit = 0;
            sending_.pop_front();
        }
        if (sending_.empty()) {
            phase_ = 0;
            top_->rx = 1;
            return;
        }
        uint32_t frame = 0x200 | sending_.front().value << 1;
        top_->rx = frame >> bit & 1;
        phase_ += 256;
    }

    // Sample tx in the middle of each bit.
    bool listen() {
        if (left_ == 0) {
            if (top_->tx) return false;
            left_ = 10;
            wait_ = divisor_ / 2;
        }
        if (wait_-- > 0) return false;
        wait_ = divisor_ - 1;
        bits_ = bits_ >> 1 | top_->tx << 9;
        if (--left_ > 0) return false;
        // A reset can cut off a byte; without start or stop bit it is ignored.
        if (!(bits_ & 0x200) || bits_ & 1) return false;
        received.push_back(bits_ >> 1);
        return true;
    }

    uint32_t divisor_;
    std::unique_ptr<Vtop> top_;
    std::deque<Byte> sending_;
    uint32_t phase_ = 0;
    uint32_t left_ = 0, wait_ = 0, bits_ = 0;
    uint64_t clock_ = 0;
};

uint32_t number() {
    uint8_t bytes[4];
    if (std::fread(bytes, 1, 4, stdin) != 4) std::exit(0);
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | uint32_t(bytes[3]) << 24;
}

void put(uint64_t value, int bytes) {
    for (int n = 0; n < bytes; n++) std::putchar(value >> 8 * n & 0xFF);
}

}  // namespace

int main(int argc, char** argv) {
    Bridge bridge(std::atoi(argv[1]));
    bridge.pass(2, true);
    for (int command; (command = std::getchar()) != EOF;) {
        uint32_t first = number();
        if (command == 'w') {
            for (uint32_t left = number(); left > 0; left--) bridge.send(std::getchar(), first);
            continue;
        }
        if (command == 'r') bridge.run(first, number());
        if (command == 't') bridge.pass(first, false);
        if (command == 'x') bridge.pass(first, true);
        put(bridge.clock(), 8);
        put(bridge.received.size(), 4);
        for (uint8_t byte : bridge.received) put(byte, 1);
        bridge.received.clear();
        std::fflush(stdout);
    }
}

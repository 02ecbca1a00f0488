/* Runs an attention, controlled by CSRs of LiteX, and a network behind a register shell. Operands
 * and results are in vectors.h; `verdict` tells the simulation how it went. */
#include <stddef.h>
#include <stdint.h>

#include <generated/csr.h>
#include <generated/mem.h>

#include "network.h"
#include "vectors.h"

#define PASSED 1
#define FAILED 2

/* Begin a transfer of one run's tensor. */
#define START_DMA(stream, buffer)                    \
    do {                                             \
        stream##_dma_enable_write(0);                \
        stream##_dma_base_write((uint32_t)(buffer)); \
        stream##_dma_length_write(sizeof(buffer));   \
        stream##_dma_enable_write(1);                \
    } while (0)

/* Results of one run. */
static uint8_t attention_o[sizeof(attention_o_expected[0])] __attribute__((aligned(4)));
static uint8_t network_logits[sizeof(network_logits_expected[0])] __attribute__((aligned(4)));
static uint8_t network_label[sizeof(network_label_expected[0])] __attribute__((aligned(4)));

__asm__(".section .start\n"
        "    la sp, stack\n"
        "    j main\n"
        ".text\n");

static int differ(const volatile uint8_t *found, const uint8_t *expected, size_t bytes)
{
    for (size_t n = 0; n < bytes; n++)
        if (found[n] != expected[n])
            return 1;
    return 0;
}

static int run_attention(int run)
{
    START_DMA(attention_q, attention_q[run]);
    START_DMA(attention_k, attention_k[run]);
    START_DMA(attention_v, attention_v[run]);
    START_DMA(attention_o, attention_o);
    attention_seed_write(attention_seeds[run]);
    attention_control_write(1 << CSR_ATTENTION_CONTROL_START_OFFSET);
    while (!attention_o_dma_done_read())
        ;
    return differ(attention_o, attention_o_expected[run], ATTENTION_O_EXPECTED_BYTES);
}

static volatile uint32_t *network_register(uint32_t offset)
{
    return (volatile uint32_t *)(NETWORK_BASE + offset);
}

static void load_network(void)
{
    START_DMA(network_weights, network_weights[0]);
    while (!(*network_register(NETWORK_STATUS_OFFSET) & NETWORK_STATUS_LOADED_MASK))
        ;
}

static int run_network(int run)
{
    START_DMA(network_image, network_image[run]);
    START_DMA(network_logits, network_logits);
    START_DMA(network_label, network_label);
    *network_register(NETWORK_CONTROL_OFFSET) = NETWORK_CONTROL_START_MASK;
    while (!(*network_register(NETWORK_STATUS_OFFSET) & NETWORK_STATUS_DONE_MASK))
        ;
    while (!network_logits_dma_done_read() || !network_label_dma_done_read())
        ;
    return differ(network_logits, network_logits_expected[run], NETWORK_LOGITS_EXPECTED_BYTES)
        || differ(network_label, network_label_expected[run], NETWORK_LABEL_EXPECTED_BYTES);
}

int main(void)
{
    int failed = *network_register(NETWORK_ID_OFFSET) != NETWORK_ID_RESET;

    for (int run = 0; run < RUNS; run++)
        failed |= run_attention(run);
    load_network();
    for (int run = 0; run < RUNS; run++)
        failed |= run_network(run);
    verdict_code_write(failed ? FAILED : PASSED);
    for (;;)
        ;
}

"""The hardware of whole networks: one engine that runs a table of operations.

`compile_network` translates a graph to a `Program`; `Engine` is the component that runs it.
"""

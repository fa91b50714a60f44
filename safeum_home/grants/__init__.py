"""What the processes beside a node, the relay and those towards a carrier, are granted by it, as types.

The `safeum-home` command imports them at each of its calls: what is here imports nothing heavy.
"""

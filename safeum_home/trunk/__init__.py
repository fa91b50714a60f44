"""The processes between a node and a carrier: Kamailio and Janus. docs/carrier.md narrates them."""

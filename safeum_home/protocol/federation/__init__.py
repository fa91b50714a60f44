"""What nodes say to each other: signed canonical JSON. Types and octets only, no I/O."""

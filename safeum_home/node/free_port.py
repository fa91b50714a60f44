"""Where a node to try things on is to listen, found without loading what a node is made of."""

import socket

PORT = 8443


def port_number(text: str) -> int:
    """Raises SystemExit, with a sentence for people, where it is no number."""
    if not text.isdecimal():
        raise SystemExit(f"{text} is not the number of a port.")
    return int(text)


def check_free(port: int, target: str = "run") -> None:
    """Raises SystemExit, with a sentence for people, where no node can listen at this port of localhost."""
    if not 0 <= port < 65536:  # 0 has the system choose one
        raise SystemExit(f"There is no port {port}: they go from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the reactor does
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError as error:
            raise SystemExit(
                f"No node can listen on port {port} of localhost ({error.strerror}). "
                f"End what does, or take another port: make {target} PORT=9443"
            ) from None

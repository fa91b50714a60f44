"""HTTP/2 (RFC 9113) towards one host of the operator's configuration: many requests on one connection."""

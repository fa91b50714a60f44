"""What a client can do by itself, each an ability that `session.Client` has."""

"""What a rule yields."""

SLACK = 1.0  # seconds between two logs that saw the same


class Violation:
    """
    connection  whose story tells it, or None
    at          when it happened: faults near that moment are told
    ns          the messages, and the channels, that the story needs
    """

    def __init__(self, text, connection=None, at=None, ns=()):
        self.text, self.connection, self.at, self.ns = text, connection, at, ns

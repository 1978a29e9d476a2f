"""What a cluster shows while its Redis is away, and when it is back."""

from lib.wire import WebSocket


def readiness(cluster):
    """What each of its two brokers says of itself: the status of /readyz."""
    urls = [cluster.process(f"broker-{i}")["metrics"].removesuffix("/metrics") for i in range(2)]
    return [cluster.get(url + "/readyz")[0] for url in urls]


def is_let_in(cluster):
    """Does a new client come in? If not, it must have been told to come again."""
    try:
        WebSocket(cluster.websocket).socket.close()
        return True
    except ConnectionRefusedError as e:
        assert "status=503" in str(e) and "'retry-after': '1'" in str(e)
        return False

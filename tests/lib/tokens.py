"""JSON Web Tokens, made with the standard library and openssl(1): right ones, and all kinds of wrong ones."""

import base64
import hashlib
import hmac
import json
import subprocess

RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
EC = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]


def text(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=b""):
    words = ["openssl", *map(str, words)]
    return subprocess.run(words, input=data, check=True, capture_output=True).stdout


def key_pair(folder, name, kind):
    """(private, public): PEM files."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    openssl("genpkey", *kind, "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    return private, public


def token(algorithm, key, claims, **header):
    """key: bytes (HS256), or the path of a private one; None leaves the signature empty."""
    head = json.dumps({"alg": algorithm, "typ": "JWT", **header})
    signed = f"{text(head.encode())}.{text(json.dumps(claims).encode())}"
    return f"{signed}.{text(sign(algorithm, key, signed.encode()))}"


def sign(algorithm, key, data):
    if key is None:
        return b""
    if algorithm == "HS256":
        return hmac.digest(key, data, hashlib.sha256)
    signature = openssl("dgst", "-sha256", "-sign", key, data=data)
    return signature if algorithm == "RS256" else join(signature)


def join(der):
    """The two numbers of an ECDSA signature, 32 bytes each (RFC 7518 3.4)."""
    first = der[4 : 4 + der[3]]
    second = der[6 + der[3] :]
    return b"".join(n.lstrip(b"\0").rjust(32, b"\0") for n in (first, second))

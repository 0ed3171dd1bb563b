"""SM2 keys from files of OpenSSL, GmSSL, Bouncy Castle and `billchain keys`.

PKCS#8, plain or encrypted (PBES2 with PBKDF2; PKCS#12's 3-DES), and SEC1, PEM or DER. Whoever
keeps the key in a device (密码机, U-key) gives the client a `Signer` of its own instead.
"""

import base64
import binascii
import re
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from . import sm
from .errors import KeyFileError

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:  # before version 43
    TripleDES = algorithms.TripleDES

MAX_FILE = 64 * 1024
MAX_ITERATIONS = 10_000_000
EC, CURVE = "1.2.840.10045.2.1", "1.2.156.10197.1.301"
ALGORITHMS = {EC, "1.2.156.10197.1.301.1", "1.2.156.10197.1.301.3", CURVE}
PBES2, PBKDF2, PKCS12_3DES = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.2.840.113549.1.12.1.3"
PRFS = {"1.2.840.113549.2.7": hashes.SHA1, "1.2.840.113549.2.8": hashes.SHA224,
        "1.2.840.113549.2.9": hashes.SHA256, "1.2.840.113549.2.10": hashes.SHA384,
        "1.2.840.113549.2.11": hashes.SHA512, "1.2.156.10197.1.401.2": hashes.SM3,
        "1.2.156.10197.1.401.3.1": hashes.SM3}
CBC = {"2.16.840.1.101.3.4.1.2": (algorithms.AES, 16), "2.16.840.1.101.3.4.1.22": (algorithms.AES, 24),
       "2.16.840.1.101.3.4.1.42": (algorithms.AES, 32), "1.2.156.10197.1.104.2": (algorithms.SM4, 16),
       "1.2.840.113549.3.7": (TripleDES, 24)}
SM4_GCM = "1.2.156.10197.1.104.8"


class Signer(Protocol):
    """Signs for an account. A device stands behind it as well as a file."""

    def public_key(self) -> bytes:
        """The compressed public key, 33 bytes."""

    def sign(self, payload: bytes) -> bytes:
        """SM2 over the payload with signer id 1234567812345678: r and s, 64 bytes."""


class Sm2Key:
    """A signer whose key is in memory."""

    def __init__(self, secret):
        if not 0 < secret < sm.N - 1:
            raise bad("the private number is out of range")
        self._secret = secret
        self._public = sm.compressed(sm.public_point(secret))

    def __repr__(self):
        return f"Sm2Key({self._public.hex()})"

    def public_key(self):
        return self._public

    def sign(self, payload):
        return sm.sign(self._secret, payload)

    @classmethod
    def load(cls, path, password=None):
        """The key in a file."""
        with open(path, "rb") as file:
            return cls.read(file.read(MAX_FILE + 1), password)

    @classmethod
    def read(cls, data, password=None):
        """The key in a file's bytes. The password is text or bytes."""
        if isinstance(data, str):
            data = data.encode("utf-8")
        if len(data) > MAX_FILE:
            raise bad(f"the file is longer than {MAX_FILE} bytes")
        password = password.encode("utf-8") if isinstance(password, str) else password
        return cls(parse(unarmoured(data), password))

    @classmethod
    def development(cls, seed):
        """The key of a development seed, as `//hospital`: for networks to play with."""
        for counter in range(1 << 32):
            digest = sm.sm3(b"BillChain SM2 key from seed, version 1", counter.to_bytes(4, "big"),
                            seed.encode("utf-8"))
            number = int.from_bytes(digest, "big")
            if 0 < number < sm.N - 1:
                return cls(number)


def bad(reason, code="Malformed"):
    """The refusal of a file."""
    return KeyFileError(f"key file: {reason}", code=code)


def unarmoured(data):
    """The DER value of a PEM file, or the bytes as they are."""
    data = data.removeprefix(b"\xef\xbb\xbf").strip() if b"-----BEGIN" in data[:4096] else data
    blocks = re.findall(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", data, re.DOTALL)
    if not blocks:
        if data[:1] == b"\x30":
            return data
        raise bad("expected PEM or DER")
    for label, body in blocks:
        if label == b"EC PARAMETERS":
            continue
        if not label.endswith(b"PRIVATE KEY"):
            raise bad(f"labelled `{label.decode()}`, expected a private key")
        if b":" in body:
            raise bad("encrypted in OpenSSL's old way, expected PKCS#8 (openssl pkcs8 -topk8)")
        try:
            return base64.b64decode(b"".join(body.split()), validate=True)
        except binascii.Error:
            raise bad("what is between the PEM lines is no base 64") from None
    raise bad("holds curve parameters and no key")


class Der:
    """Reads DER values one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def value(self, tag=None):
        """Tag and content of the next value."""
        data, at = self.data, self.at
        if at + 2 > len(data):
            raise bad("it is cut short")
        found, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:
            count = length & 0x7F
            if not 1 <= count <= 3 or at + count > len(data):
                raise bad("a length is out of bounds")
            length, at = int.from_bytes(data[at:at + count], "big"), at + count
        if at + length > len(data):
            raise bad("it is cut short")
        if tag is not None and found != tag:
            raise bad(f"expected a value with tag {tag:#x}, found {found:#x}")
        self.at = at + length
        return found, data[at:at + length]

    def inner(self, tag=0x30):
        return Der(self.value(tag)[1])

    def octets(self):
        return self.value(4)[1]

    def number(self):
        content = self.value(2)[1]
        if not 1 <= len(content) <= 8 or content[0] >= 0x80:
            raise bad("a number is out of range")
        return int.from_bytes(content, "big")

    def oid(self):
        content = self.value(6)[1]
        numbers, number = [], 0
        for byte in content:
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                numbers.append(number)
                number = 0
        if not numbers or len(content) > 32:
            raise bad("an object identifier is malformed")
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def parse(data, password, depth=0):
    """The private number in a DER value."""
    outer = Der(data).inner()
    tag, content = outer.value()
    if tag == 0x30:
        if depth:
            raise bad("a key encrypted twice")
        if password is None:
            raise bad("the key is encrypted: a password is needed", "PasswordNeeded")
        plain = decrypt(Der(content), outer.octets(), password)
        try:
            begins = Der(plain).inner().value()[0] == 2
        except KeyFileError:
            begins = False
        if not begins:
            raise bad("wrong password", "WrongPassword")
        return parse(plain, None, 1)
    if tag != 2:
        raise bad("this is no private key")
    if content == b"\x01":
        return sec1(data, False)
    algorithm = outer.inner()
    oid, named = algorithm.oid(), None
    if oid not in ALGORITHMS:
        raise bad(f"a key of algorithm {oid}, expected SM2")
    if algorithm.more() and algorithm.data[algorithm.at] == 6:
        named = algorithm.oid()
        if named != CURVE:
            raise bad(f"a key of curve {named}, expected {CURVE} (sm2p256v1)")
    return sec1(outer.octets(), named is not None or oid != EC)


def sec1(data, named):
    """The private number of an ECPrivateKey."""
    key = Der(data).inner()
    if key.number() != 1:
        raise bad("an ECPrivateKey of another version")
    digits = key.octets().lstrip(b"\x00")
    if len(digits) > 32:
        raise bad(f"a private number of {len(digits)} bytes, expected 32")
    secret, public = int.from_bytes(digits, "big"), None
    while key.more():
        tag, content = key.value()
        if tag == 0xA0:
            found, named = Der(content).oid(), True
            if found != CURVE:
                raise bad(f"a key of curve {found}, expected {CURVE} (sm2p256v1)")
        elif tag == 0xA1:
            public = Der(content).value(3)[1][1:]
    if not named and public is None:
        raise bad("nothing says which curve the key is of")
    if not 0 < secret < sm.N - 1:
        raise bad("the private number is out of range")
    point = sm.public_point(secret)
    if public is not None:
        whole = b"\x04" + b"".join(part.to_bytes(32, "big") for part in point)
        if public not in (whole, sm.compressed(point)):
            raise bad("the public key in it is another key's")
    return secret


def decrypt(algorithm, encrypted, password):
    """What was encrypted by PBES2 or by PKCS#12's 3-DES."""
    scheme = algorithm.oid()
    if scheme == PKCS12_3DES:
        parameters = algorithm.inner()
        salt, iterations = parameters.octets(), bounded(parameters.number())
        key = pkcs12(password, salt, iterations, 1, 24)
        return uncbc(TripleDES(key), pkcs12(password, salt, iterations, 2, 8), encrypted)
    if scheme != PBES2:
        raise bad(f"encrypted by {scheme}, expected PBES2 (openssl pkcs8 -topk8 -v2 aes-256-cbc)")
    parameters = algorithm.inner()
    derivation, encryption = parameters.inner(), parameters.inner()
    if (found := derivation.oid()) != PBKDF2:
        raise bad(f"a key derived by {found}, expected PBKDF2")
    details = derivation.inner()
    salt, iterations, prf = details.octets(), bounded(details.number()), hashes.SHA1
    if details.more() and details.data[details.at] == 2:
        details.number()
    if details.more():
        found = details.inner().oid()
        if found not in PRFS:
            raise bad(f"PBKDF2 with {found}, expected HMAC with SHA-1, SHA-2 or SM3")
        prf = PRFS[found]
    cipher = encryption.oid()
    length = 16 if cipher == SM4_GCM else CBC.get(cipher, (None, 0))[1]
    if length == 0:
        raise bad(f"encrypted by {cipher}, expected AES, SM4 or 3-DES")
    key = PBKDF2HMAC(prf(), length, salt, iterations).derive(password)
    if cipher != SM4_GCM:
        return uncbc(CBC[cipher][0](key), encryption.octets(), encrypted)
    gcm = encryption.inner()
    nonce = gcm.octets()
    if not gcm.more() or gcm.number() != 16 or len(nonce) != 12 or len(encrypted) < 16:
        raise bad("SM4-GCM with another nonce or tag than 12 and 16 bytes")
    opened = Cipher(algorithms.SM4(key), modes.GCM(nonce, encrypted[-16:])).decryptor()
    try:
        return opened.update(encrypted[:-16]) + opened.finalize()
    except InvalidTag:
        raise bad("wrong password", "WrongPassword") from None


def bounded(iterations):
    """A number of iterations that is done."""
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise bad(f"{iterations} iterations, expected 1 to {MAX_ITERATIONS}")
    return iterations


def uncbc(algorithm, iv, encrypted):
    """What was encrypted in CBC with PKCS#7's padding."""
    block = algorithm.block_size // 8
    if len(iv) != block or not encrypted or len(encrypted) % block:
        raise bad(f"the encrypted key is no whole number of blocks of {block} bytes")
    opened = Cipher(algorithm, modes.CBC(iv)).decryptor()
    plain = opened.update(encrypted) + opened.finalize()
    count = plain[-1]
    if not 1 <= count <= block or plain[-count:] != bytes([count]) * count:
        raise bad("wrong password", "WrongPassword")
    return plain[:-count]


def pkcs12(password, salt, iterations, purpose, length):
    """The derivation of PKCS#12 (RFC 7292, B.2) with SHA-1."""
    def digest(data):
        sha = hashes.Hash(hashes.SHA1())
        sha.update(data)
        return sha.finalize()

    def filled(data):
        return (data * (64 // len(data) + 1))[:64 * -(-len(data) // 64)] if len(data) <= 64 else (
            data * 2)[:64 * -(-len(data) // 64)]

    text = password.decode("utf-8").encode("utf-16-be") + b"\x00\x00"
    block = bytearray(filled(salt) + filled(text)) if salt else bytearray(filled(text))
    result = b""
    while len(result) < length:
        a = bytes([purpose]) * 64 + bytes(block)
        for _ in range(iterations):
            a = digest(a)
        result += a
        b = int.from_bytes((a * 4)[:64], "big") + 1
        for at in range(0, len(block), 64):
            part = int.from_bytes(block[at:at + 64], "big") + b
            block[at:at + 64] = (part % (1 << 512)).to_bytes(64, "big")
    return result[:length]

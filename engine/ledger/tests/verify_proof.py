"""Checks proofs of a ledger by the published formats alone, without a line of grace-rules.

    verify_proof.py NAME+ID+KEY FILE...   prints `proven` or `not proven` for each file
    verify_proof.py --paths               counts the lines INDEX SIZE LEAF ROOT PATH whose leaf is under that root

C2SP tlog-proof, tlog-checkpoint and signed-note; RFC 6962 for the tree; RFC 8032 for Ed25519, here slow and short.
"""
import base64, hashlib, sys

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def times(n, point):
    result = (0, 1)
    for bit in bin(n)[2:]:
        result = add(result, result)
        result = add(result, point) if bit == "1" else result
    return result


def point(data):
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    assert y < P and x * x % P == square and not (x == 0 and sign)
    return (P - x if x % 2 != sign else x), y


def signed(key, message, signature):
    base, s = point((4 * pow(5, -1, P) % P).to_bytes(32, "little")), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    assert len(signature) == 64 and s < L and times(s, base) == add(point(signature[:32]), times(k, point(key)))


def root(index, last, digest, path):
    while last:
        if index % 2 or index < last:
            pair = path.pop(0) + digest if index % 2 else digest + path.pop(0)
            digest = hashlib.sha256(b"\x01" + pair).digest()
        index, last = index // 2, last // 2
    assert not path
    return digest


def check(proof, name, key):
    decode = lambda text: base64.b64decode(text, validate=True)
    head, text, signature = proof.split("\n\n", 2) if proof.count("\n\n") > 1 else (None, None, None)
    (first, extra, index, *path), (origin, size, digest) = head.split("\n"), text.split("\n")
    assert first == "c2sp.org/tlog-proof@v1" and extra[:6] == "extra " and index[:6] == "index " and origin == name
    leaf, index, last = hashlib.sha256(b"\x00" + decode(extra[6:])).digest(), int(index[6:]), int(size) - 1
    assert 0 <= index <= last and root(index, last, leaf, [decode(line) for line in path]) == decode(digest)
    dash, signer, value = signature.rstrip("\n").split(" ")
    ours = hashlib.sha256(f"{name}\n".encode() + decode(key)).digest()[:4]
    assert (dash, signer, decode(value)[:4]) == ("\u2014", name, ours) and decode(key)[0] == 1
    signed(decode(key)[1:], f"{text}\n".encode(), decode(value)[4:])


if sys.argv[1] == "--paths":
    proven = 0
    for line in sys.stdin:
        index, size, leaf, top, path = line.rstrip("\n").split(" ")
        path, digest = bytes.fromhex(path), bytes.fromhex(leaf)
        path = [path[at : at + 32] for at in range(0, len(path), 32)]
        proven += root(int(index), int(size) - 1, digest, path) == bytes.fromhex(top)
    print(proven)

for file in sys.argv[2:]:
    try:
        check(open(file, encoding="utf-8", newline="").read(), *sys.argv[1].split("+", 2)[::2])
        print("proven")
    except (AssertionError, AttributeError, ValueError, IndexError):
        print("not proven")

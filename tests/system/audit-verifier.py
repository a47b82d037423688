"""Follows the chain of the audit events as gateway/store/README.md describes it, with nothing of ours but its words.

usage: audit-verifier.py EXPORT HEADS KEY
EXPORT is what `linli audit export` writes, HEADS has a `linli.audit.head` as a platform got it on each line, KEY is a
public key in PEM. Says a line for each thing that is wrong, and ends with 1 where there is one.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile


def follow(lines):
    """The links that are kept, by place; and what is wrong."""
    links, wrong = {}, []
    before = hashlib.sha256(b"linli-audit-1").digest()
    for number, line in enumerate(lines):
        place, link, record = line.rstrip("\n").split("\t", 2)
        if record == "-" and number == 0:
            # Only the last link of what was let go of: the next one follows it.
            before = bytes.fromhex(link)
        elif record == "-":
            wrong.append(f"{place} removed")
            before = bytes.fromhex(link)
        elif link == "-":
            wrong.append(f"{place} unlinked")
            continue
        else:
            if hashlib.sha256(before + record.encode("utf-8")).hexdigest() != link:
                wrong.append(f"{place} changed")
            if json.loads(record)[0] != int(place):
                wrong.append(f"{place} moved")
            before = bytes.fromhex(link)
        links[int(place)] = before.hex()
    return links, wrong


def is_signed(head, key):
    text = f"linli-audit-head-2\n{head['hub']}\n{head['epoch']}\n{head['seq']}\n{head['hash']}\n"
    with tempfile.TemporaryDirectory() as folder:
        signed, signature = os.path.join(folder, "text"), os.path.join(folder, "signature")
        with open(signed, "wb") as file:
            file.write(text.encode("utf-8"))
        with open(signature, "wb") as file:
            file.write(base64.b64decode(head["signature"]))
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", signed, "-sigfile", signature]
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def main(export, heads, key):
    with open(export, encoding="utf-8", newline="\n") as file:
        links, wrong = follow(file)
    with open(heads, encoding="utf-8") as file:
        for line in file:
            head = json.loads(line)["data"]
            place = head["seq"]
            if not is_signed(head, key):
                wrong.append(f"{place} head-forged")
            elif place < min(links):
                print(f"note: {place} lies before the oldest link")
            elif place not in links:
                wrong.append(f"{place} truncated")
            elif links[place] != head["hash"]:
                wrong.append(f"{place} head-differs")
    for line in wrong:
        print(line)
    print(f"{len(links)} links")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

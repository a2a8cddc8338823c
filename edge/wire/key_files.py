"""Files that hold one CURVE key or a pair of them: certificates as ZeroMQ's own tools write them."""

import os
import stat
from pathlib import Path

import zmq
from zmq.auth import load_certificate
from zmq.utils import z85

from ..errors import UsageError
from ..system.files import check_file, is_there

PUBLIC_SUFFIX, SECRET_SUFFIX = ".key", ".key_secret"
PUBLIC_MODE, SECRET_MODE, FOLDER_MODE = 0o644, 0o600, 0o700
KEY_BYTES = 32
Z85_CHARACTERS = KEY_BYTES * 5 // 4
"""Length of a key in Z85, the text encoding of certificates."""


def write_pair(folder: Path, name: str) -> bytes:
    """Write a new public and a new secret key, `name.key` and `name.key_secret`. Returns the public key."""
    public, secret = zmq.curve_keypair()
    make_folder(folder)
    write_key(folder / f"{name}{SECRET_SUFFIX}", public, secret)
    write_key(folder / f"{name}{PUBLIC_SUFFIX}", public, None)
    return public


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, with its parents. Raises UsageError if that is impossible."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {folder} ({error.strerror}); give another one for the keys"
        ) from error


def write_key(path: Path, public: bytes, secret: bytes | None) -> None:
    """Write a certificate to a new file; one with a secret key can be read by its owner alone from the beginning.

    Raises UsageError if the file exists or cannot be written.
    """
    lines = ["curve", f'    public-key = "{public.decode()}"']
    if secret is not None:
        lines.append(f'    secret-key = "{secret.decode()}"')
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PUBLIC_MODE if secret is None else SECRET_MODE)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already and is not replaced; give another folder, or delete it") from error
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}); give another folder for the keys") from error
    with open(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")


def read_pair(path: Path, remedy: str) -> tuple[bytes, bytes]:
    """Return the public and the secret key in a certificate. Raises UsageError if they are missing or damaged."""
    if not is_there(path):
        raise UsageError(f"no keys at {path}; {remedy}")
    check_file(path, remedy)
    public, secret = read_certificate(path)
    if secret is None:
        raise UsageError(f"{path} holds no secret key; {remedy}")
    check_mode(path)
    return public, secret


def check_mode(path: Path) -> None:
    """Raise UsageError if others than this user may read or change the file of a secret key.

    A file of root's may be readable by its group: Kubernetes gives secrets to root, and a program that is not root can
    have their group alone.
    """
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    allowed = stat.S_IRGRP if found.st_uid == 0 and os.geteuid() != 0 else 0
    if mode & (stat.S_IRWXG | stat.S_IRWXO) & ~allowed:
        raise UsageError(
            f"{path} is open to other users (mode {mode:04o}), who could use the key in its owner's name; "
            f"chmod 600 {path}, and make new keys if somebody may have read it"
        )


def read_public(path: Path) -> bytes:
    """Return the public key in a certificate. Raises UsageError if it is missing or damaged."""
    if not is_there(path):
        raise UsageError(f"no key at {path}; foal-edge keys DIR makes it")
    check_file(path, "foal-edge keys DIR makes keys")
    return read_certificate(path)[0]


def read_certificate(path: Path) -> tuple[bytes, bytes | None]:
    """Return the public key and, if there is one, the secret key in a certificate. UsageError if it is damaged."""
    try:
        public, secret = load_certificate(path)
        for key in (public, secret):
            if key is not None and (len(key) != Z85_CHARACTERS or len(z85.decode(key)) != KEY_BYTES):
                raise ValueError(f"{len(key)} characters, not {Z85_CHARACTERS}")
    except (OSError, ValueError, KeyError) as error:  # KeyError: a character outside of Z85
        raise UsageError(f"{path} cannot be read as a CURVE key ({error}); make it with foal-edge keys") from error
    return public, secret

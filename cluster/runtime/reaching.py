"""Is a Dask scheduler there, and will it talk to us? Found out by a knock, before Dask is involved.

Dask retries whatever fails until its time is over, and then says that time is over; behind a wrong
protocol or a silent peer it may wait for ever. A scheduler speaks first, eight bytes that say how
long its greeting is. So one connection and one read tell a name nobody knows, a closed port, a
firewall, the wrong protocol, a foreign certificate and another service apart, each with its remedy.
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from distributed.security import Security

from ogas.cluster.runtime.errors import ClusterError
from ogas.engine.errors import WrongUsageError

GREETING = 8
LONGEST_GREETING = 2**20
MOMENT = 1.0  # a TLS server says nothing before we do: after this silence we ask whether it is one


@dataclass(frozen=True)
class Tls:
    """The three files that let us into a cluster which encrypts.

    Attributes
    ----------
    ca, cert, key : Path
        PEM files: who may sign, who we are, and the secret that proves it.

    Raises
    ------
    WrongUsageError
        If one cannot be read, or the key wants a password that Dask cannot ask for.
    """

    ca: Path
    cert: Path
    key: Path

    @staticmethod
    def of(files: Mapping[str, str] | None) -> "Tls | None":
        """Return the files that are named ``ca``, ``cert`` and ``key``, if any are."""
        return None if files is None else Tls(*(Path(files[n]) for n in ("ca", "cert", "key")))

    def __post_init__(self) -> None:
        for name, path in (("CA", self.ca), ("certificate", self.cert), ("key", self.key)):
            if not path.is_file():
                raise WrongUsageError(
                    f"the TLS {name} is not here", where=str(path), advice="check the path"
                )
        if b"ENCRYPTED" in self.key.read_bytes():
            raise WrongUsageError(
                "the TLS key is locked with a password, which Dask cannot ask for",
                where=str(self.key),
                advice="unlock it with `openssl pkey`, and let only its owner read it",
            )


@dataclass(frozen=True)
class Address:
    """Where a scheduler listens: ``tcp://host:port`` or ``tls://host:port``."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return the address as Dask writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse(text: str, encrypted: bool) -> Address:
    """Return the address that a person wrote; without a scheme, TLS files decide.

    >>> str(parse("localhost:8786", encrypted=False))
    'tcp://localhost:8786'

    Raises
    ------
    ClusterError
        If it is not one.
    """
    full = text if "://" in text else f"{'tls' if encrypted else 'tcp'}://{text}"
    try:
        parts = urlsplit(full)
        address = Address(parts.scheme, parts.hostname or "", parts.port or 0)
        spurious = parts.path + parts.query + parts.fragment + (parts.username or "")
    except ValueError:  # the port is no number, or the brackets do not match
        address, spurious = Address("", "", 0), text
    if address.scheme not in ("tcp", "tls") or not address.host or not address.port or spurious:
        raise ClusterError(
            f"{text!r} is not the address of a scheduler",
            advice="write tcp://host:port, or tls://host:port where the cluster encrypts",
        )
    return address


def credentials(address: Address, tls: Tls | None) -> tuple[Security, ssl.SSLContext | None]:
    """Return what Dask and `knock` need to encrypt, from the files given or Dask's configuration.

    Raises
    ------
    ClusterError
        If the files are no certificates, do not belong together, or do not fit the address.
    """
    files = (
        {}
        if tls is None
        else {
            "require_encryption": True,
            "tls_ca_file": str(tls.ca),
            "tls_client_cert": str(tls.cert),
            "tls_client_key": str(tls.key),
        }
    )
    try:
        security = Security(**files)
        context = security.get_connection_args("client").get("ssl_context")
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise ClusterError(
            f"the TLS files cannot be used: {_reason(error)}",
            where=str(address),
            advice="give a CA, a certificate signed by it, and its key, as PEM files",
        ) from error
    if address.scheme == "tls" and context is None:
        raise ClusterError(
            "tls needs a CA, a certificate and a key, and none is given",
            where=str(address),
            advice="name the three files",
        )
    if address.scheme == "tcp" and tls is not None:
        raise ClusterError(
            "TLS files are given, but tcp does not encrypt",
            where=str(address),
            advice="write tls://, or leave the files away",
        )
    return security, context if address.scheme == "tls" else None


def knock(address: Address, context: ssl.SSLContext | None, patience: float) -> None:
    """Return if a Dask scheduler greets us at an address.

    Parameters
    ----------
    context : SSLContext or None
        How to encrypt; None for tcp.
    patience : float, seconds
        How long to wait for a connection, and then for the greeting.

    Raises
    ------
    ClusterError
        If none does: what answered instead, and what to do.
    """
    try:
        with socket.create_connection((address.host, address.port), timeout=patience) as line:
            greeting = (
                _greeting_in_clear(line, address, patience)
                if context is None
                else _greeting_encrypted(line, address, context)
            )
    except ClusterError:
        raise
    except OSError as error:
        raise unreachable(address, error, patience) from error
    if len(greeting) < GREETING or not 0 < int.from_bytes(greeting, "little") < LONGEST_GREETING:
        raise ClusterError(
            "what listens there is not a Dask scheduler",
            where=str(address),
            advice="check the port; the scheduler's is 8786 unless told otherwise",
        )


def unreachable(address: Address, error: OSError, patience: float) -> ClusterError:
    """Return a failure to connect as an error of ours."""
    advice = "is the scheduler running, and is this its port?"
    if isinstance(error, socket.gaierror):
        reason, advice = f"no machine is known as {address.host!r}", "check the name"
    elif isinstance(error, ConnectionRefusedError):
        reason = "nothing listens there"
    elif isinstance(error, TimeoutError):
        reason = f"no answer within {patience:g} s"
        advice = "is the scheduler running, and does a firewall let us through?"
    else:
        reason = f"it cannot be reached: {_reason(error)}"
    return ClusterError(reason, where=str(address), advice=advice)


def _greeting_in_clear(line: socket.socket, address: Address, patience: float) -> bytes:
    line.settimeout(min(MOMENT, patience))
    try:
        return _read(line)
    except TimeoutError:
        if _encrypts(address):
            raise ClusterError(
                "this scheduler encrypts, and was addressed in clear",
                where=str(address),
                advice=f"write tls://{str(address).removeprefix('tcp://')} and name the TLS files",
            ) from None
    line.settimeout(patience)  # it is only busy
    return _read(line)


def _greeting_encrypted(line: socket.socket, address: Address, context: ssl.SSLContext) -> bytes:
    try:
        secure = context.wrap_socket(line)
    except ssl.SSLCertVerificationError as error:
        raise ClusterError(
            f"its certificate is not signed by our CA ({error.verify_message})",
            where=str(address),
            advice="name the CA that signed the scheduler's certificate",
        ) from error
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
        raise ClusterError(
            f"it was addressed by TLS, and answers otherwise ({_reason(error)})",
            where=str(address),
            advice=f"does it encrypt? if not, write tcp://{str(address).removeprefix('tls://')}",
        ) from error
    with secure:
        try:  # in TLS 1.3 a server judges our certificate after its own was accepted
            greeting = _read(secure)
        except (ssl.SSLError, ConnectionResetError) as error:
            raise _refused(address, _reason(error)) from error
    if not greeting:
        raise _refused(address, "it hung up")
    return greeting


def _refused(address: Address, reason: str) -> ClusterError:
    advice = "name a certificate that is signed by the scheduler's CA, and has not expired"
    return ClusterError(f"it refuses our certificate ({reason})", where=str(address), advice=advice)


def _encrypts(address: Address) -> bool:
    """Try TLS without looking at certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=MOMENT) as line,
            context.wrap_socket(line),
        ):
            return True
    except OSError:
        return False


def _read(line: socket.socket) -> bytes:
    """Read a greeting's first eight bytes, or what comes before the end."""
    found = b""
    while len(found) < GREETING and (more := line.recv(GREETING - len(found))):
        found += more
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or str(error) or type(error).__name__

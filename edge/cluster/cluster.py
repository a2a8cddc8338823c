"""Cluster of Dask: its workers are checked, then each is given one piece of work after the other.

Dask's processes hand each other functions and results as pickles, which run code where they are read: whoever reaches a
scheduler or a worker can run anything there. Nothing but a command that was given `--workers` imports this module.
"""

import asyncio
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Sequence
from logging import getLogger
from threading import Event
from typing import Any, Generic, NamedTuple, TypeVar

from distributed import Client, Future, Security, wait
from distributed import TimeoutError as DaskTimeoutError
from distributed.comm import connect
from distributed.scheduler import KilledWorker

from ..errors import FoalError, UsageError
from .node import Installed, ProcessEndedError, call, installed

CONNECT_S = 30.0
"""Longest wait for the scheduler."""
GREET_S = 5.0
"""Longest wait for a program that takes the connection to answer as a scheduler does."""
WORKER_S = 60.0
"""Longest wait for its first worker, which may have been started with it."""
POLL_S = 0.2
"""Interval at which a stop, and workers that have come, are looked for."""
ALONE_S = 60.0
"""Longest time without any worker: a nanny starts its worker again within seconds."""
TRIES = 3
"""Number of times that a piece of work is begun whose process ends in it; of whole workers the scheduler counts."""

Item = TypeVar("Item")

log = getLogger(__name__)


class GivenUp(NamedTuple):
    """End of a piece of work that no worker has survived."""

    why: str


class Outcome(NamedTuple, Generic[Item]):
    """End of one piece of work."""

    item: Item
    result: Any
    """Result of the function, or `GivenUp`."""


class Cluster:
    """Workers that a scheduler knows; to be closed."""

    def __init__(self, address: str, packages: Sequence[str], beside: Sequence[str] = ()) -> None:
        """Connect and compare what the workers have installed with what this machine has.

        `packages` are those of our own that are needed there, `beside` names others whose versions matter. UsageError
        without a scheduler or a worker, and where foal-edge differs.
        """
        self.address, self._packages = address, tuple(packages)
        check_scheduler(address)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions, which are compared below
            self._client = Client(address, timeout=CONNECT_S)
        try:
            self._wait_for_a_worker()
            here = installed(self._packages, beside)
            self._code = here.code
            self._compare(here, self.on_each(installed, self._packages, tuple(beside)))
        except BaseException:
            self.close()
            raise

    def _wait_for_a_worker(self) -> None:
        if not self._client.nthreads():
            log.warning("the scheduler at %s has no workers yet: waiting %.0f s for one", self.address, WORKER_S)
        try:
            self._client.wait_for_workers(1, timeout=WORKER_S)
        except DaskTimeoutError as error:
            raise UsageError(
                f"the scheduler at {self.address} has no workers; start some: dask worker {self.address}"
            ) from error

    def _compare(self, here: Installed, there: dict[str, Installed]) -> None:
        for worker, found in there.items():
            if found.code != here.code:
                raise self._differs(worker, found.code)
        names = sorted({name for found in there.values() for name in found.packages} | set(here.packages))
        for name in names:
            others = {found.packages.get(name, "none") for found in there.values()} | {here.packages.get(name, "none")}
            if len(others) > 1:
                log.warning(
                    "%s differs between the machines (%s): numbers may differ in their last digits",
                    name,
                    ", ".join(sorted(others)),
                )

    def _differs(self, worker: str, code: str) -> UsageError:
        return UsageError(
            f"the worker {worker} has foal-edge {code}, this machine {self._code}; install the same on all and start "
            "the workers again"
        )

    def on_each(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call a function in the process of each worker; return the results by the worker's address."""
        try:
            return dict(self._client.run(function, *arguments))
        except ImportError as error:
            raise cannot_import(error) from error

    def spread(
        self, function: Callable[..., Any], work: Sequence[tuple[Item, tuple[Any, ...]]], stop: Event
    ) -> Generator[Outcome[Item]]:
        """Call a function with the arguments of each item, and yield what becomes of it as it comes.

        A worker has no more of them than it has threads, so that only what it was at is blamed for its end. Work whose
        worker ends before the result has come is begun again on another; it is given up after as many workers as the
        scheduler's setting `allowed-failures` says. Ends early where `stop` is set. FoalError where scheduler or
        workers are gone.
        """
        waiting, running = deque(work), dict[Future, Item]()
        seen_s = time.monotonic()
        try:
            while (waiting or running) and not stop.is_set():
                threads = self._threads()
                seen_s = time.monotonic() if threads else seen_s
                if time.monotonic() - seen_s > ALONE_S:
                    raise FoalError(f"no worker has been there for {ALONE_S:.0f} s; start some and give it again")
                for _ in range(min(len(waiting), threads - len(running))):
                    item, arguments = waiting.popleft()
                    running[self._submit(function, arguments)] = item
                # All at once: a worker that dies takes results with it that have not been fetched.
                yield from [Outcome(running.pop(future), self._result(future)) for future in completed(running)]
        finally:
            self._client.cancel(list(running))

    def _submit(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Future:
        return self._client.submit(
            call, self._code, self._packages, function, *arguments, pure=False, retries=TRIES - 1
        )

    def _threads(self) -> int:
        """Return the number of threads of all workers; FoalError where the scheduler is gone."""
        if self._client.status != "running":
            raise self._scheduler_gone()
        try:
            return sum(self._client.nthreads().values())
        except OSError as error:
            raise self._scheduler_gone() from error

    def _scheduler_gone(self) -> FoalError:
        return FoalError(
            f"the scheduler at {self.address} is gone; start it and its workers, and give the command again: what is "
            "done is not done twice"
        )

    def _result(self, future: Future) -> Any:
        if future.status not in ("finished", "error"):
            raise self._scheduler_gone()
        try:
            code, result = future.result()
        except KilledWorker as error:
            died, last = error.allowed_failures + 1, error.last_worker.address
            return GivenUp(f"{died} workers that were given it have died, the last of them {last}")
        except ProcessEndedError as error:
            return GivenUp(f"{error}; it was tried {TRIES} times")
        except ImportError as error:
            raise cannot_import(error) from error
        if code is not None:
            raise self._differs("that has come last", code)
        return result

    def close(self) -> None:
        """End the connection; the workers go on."""
        self._client.close()


def check_scheduler(address: str) -> None:
    """Raise UsageError where no scheduler is at an address: nothing at all, or a program that speaks something else.

    `Client` would wait without end for one that says nothing, and read another's answer as whatever it looks like.
    """
    try:
        asyncio.run(asyncio.wait_for(greet(address), CONNECT_S + GREET_S))
    except Exception as error:
        if isinstance(error, TypeError) and address.startswith("tls://"):  # Dask's own without certificates
            raise UsageError(
                f"{address} needs certificates, and Dask's configuration names none; give distributed.comm.tls in the "
                "file of DASK_CONFIG (docs/many-machines.md)"
            ) from error
        problem = str(error) or "what is there has not answered as Dask does"
        raise UsageError(
            f"no Dask scheduler answers at {address} ({problem}); start one (`dask scheduler`), or correct --workers"
        ) from error


async def greet(address: str) -> None:
    """Exchange Dask's greeting with a scheduler."""
    comm = await connect(address, timeout=CONNECT_S, **Security().get_connection_args("client"))
    await comm.close()


def completed(running: dict[Future, Any]) -> set[Future]:
    """Return those that have ended, once some have or a little time has passed."""
    if not running:
        time.sleep(POLL_S)
        return set()
    try:
        return set(wait(list(running), timeout=POLL_S, return_when="FIRST_COMPLETED").done)
    except DaskTimeoutError:
        return set()


def cannot_import(error: ImportError) -> UsageError:
    """Return the error of a worker that lacks a package."""
    return UsageError(f"a worker cannot import what it is to do ({error}); install the same on all, and start it")

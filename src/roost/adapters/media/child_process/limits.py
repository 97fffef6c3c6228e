"""What one child may use, and the limits put on it before it looks at the file."""

import resource
import signal
from dataclasses import dataclass

OUTPUT_GROWTH_MAX = 4  # a GIF squeezed by a better encoder grows when it is written again
OUTPUT_BYTES_MIN = 1024 * 1024
OPEN_FILES_MAX = 64
NICENESS = 10  # a page that is read comes before a picture that is uploaded


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """`memory_bytes_max` is address space: a picture of IMAGE_PIXELS_MAX decoded takes 200 MB,
    turned 400.
    """

    cpu_s_max: int = 20
    wall_s_max: int = 60
    memory_bytes_max: int = 1024 * 1024 * 1024

    def as_arguments(self) -> list[str]:
        return [str(self.cpu_s_max), str(self.wall_s_max), str(self.memory_bytes_max)]

    @classmethod
    def from_arguments(cls, cpu_s: str, wall_s: str, memory_bytes: str) -> "ChildLimits":
        return cls(int(cpu_s), int(wall_s), int(memory_bytes))


def limit_this_process(limits: ChildLimits, input_bytes: int) -> None:
    """Cannot be undone. Crossing one ends the process, but for memory and file size: those raise."""
    output_bytes_max = max(input_bytes * OUTPUT_GROWTH_MAX, OUTPUT_BYTES_MIN)
    # A second later the kernel ends it without saying why.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s_max, limits.cpu_s_max + 1))
    for which, value in (
        (resource.RLIMIT_AS, limits.memory_bytes_max),
        (resource.RLIMIT_FSIZE, output_bytes_max),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX),
        (resource.RLIMIT_CORE, 0),  # a core file of a stranger's picture serves nobody
    ):
        resource.setrlimit(which, (value, value))
    # The parent keeps the same time. This one is for the child of a killed parent.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limits.wall_s_max)

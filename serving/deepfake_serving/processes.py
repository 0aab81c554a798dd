"""Which processes there are."""

from pathlib import Path


def living_children(parent: int) -> list[int]:
    """The process ids of a process's children; one that is killed but not yet waited for does not count."""
    children = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # gone meanwhile
            continue
        if int(ppid) == parent and state != "Z":
            children.append(int(entry.parent.name))
    return children

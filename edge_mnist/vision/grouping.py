"""What hangs together by links."""

from collections.abc import Iterable


def group(count: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the groups of things that are linked, directly or by way of others.

    Args:
        count: Of the things, which are numbered from 0.
        links: Two things each.

    Returns:
        Each thing in one group, in rising order; by their first things the groups are, too.
    """
    parents = list(range(count))

    def find(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    for i, j in links:
        parents[find(i)] = find(j)
    groups: dict[int, list[int]] = {}
    for i in range(count):
        groups.setdefault(find(i), []).append(i)
    return list(groups.values())

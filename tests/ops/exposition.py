"""Names: of what a node serves, and of what queries and pages speak of."""

import re

# What Prometheus itself makes.
OF_PROMETHEUS = {"up", "ALERTS"}
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right",
         "bool", "offset", "inf", "nan"}
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}


def served(text: str) -> set[str]:
    """The names of the samples that an OpenMetrics text may have. A family without
    a sample yet has its type already."""
    names = set()
    for line in text.splitlines():
        if found := re.match(r"# TYPE (\S+) (\S+)$", line):
            names.update(found[1] + suffix for suffix in SUFFIXES.get(found[2], [""]))
        elif found := re.match(r"([a-zA-Z_:][\w:]*)[{ ]", line):
            names.add(found[1])
    return names


def used(query: str) -> set[str]:
    """The metrics of a PromQL query."""
    query = re.sub(r'"(?:\\.|[^"\\])*"', '""', query)
    query = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", query)
    query = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", query)
    names = re.findall(r"(?<![\w.$])([a-zA-Z_:][\w:]*)(?!\w*\s*\()", query)
    return {name for name in names if name not in WORDS}


def named(prose: str) -> set[str]:
    """The metrics that a page names in full."""
    return set(re.findall(r"\b((?:billchain|malachitebft)_\w+\w)", prose))

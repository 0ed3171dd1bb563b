"""Checks `ops/` and the alerts' runbooks; see `run`."""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from exposition import OF_PROMETHEUS, named, served, used
from live import ROOT, Live, until

OPS = ROOT / "ops"
RUNBOOKS = ROOT / "docs/runbooks"
HEADINGS = {
    "": ["What it means", "What to look at", "What to do"],
    ".zh": ["含义", "查看什么", "怎么做"],
}
ALERT = re.compile(r"alert: (\w+)\n")
# Empty as long as nothing went wrong.
OFTEN_EMPTY = {"billchain_rpc_rpc_closed_connections_total"}
passed = failed = 0


def check(title: str, problems: list[str]):
    global passed, failed
    passed, failed = passed + (not problems), failed + bool(problems)
    told = "; ".join(problems)
    print(f"{'FAILED' if problems else 'ok    '} {title}{': ' + told if problems else ''}", flush=True)


def run(title: str, *command, cwd: Path = ROOT, silent: bool = False) -> str:
    """A command succeeds, and says nothing if it has to be silent."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    output = (done.stdout + done.stderr).strip()
    check(title, [output or "failed"] if done.returncode or (silent and output) else [])
    return output


def boards() -> dict[str, dict]:
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted((OPS / "grafana").glob("*.json"))}


def queries(board: dict) -> list[str]:
    panels = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    variables = [variable["query"]["query"] for variable in board["templating"]["list"]
                 if variable["type"] == "query"]
    return panels + [re.sub(r"^label_values\((.*), *\w+\)$", r"\1", query) for query in variables]


def check_rules():
    prometheus = OPS / "prometheus"
    run("Prometheus takes the configuration and the rules", "promtool", "check", "config",
        "prometheus.yml", cwd=prometheus)
    run("the rules' own tests", "promtool", "test", "rules", "alerts_test.yml", cwd=prometheus)
    problems = []
    with tempfile.TemporaryDirectory() as copy:
        shutil.copy(prometheus / "alerts_test.yml", copy)
        rules = (prometheus / "alerts.yml").read_text("utf-8")
        for alert in ALERT.findall(rules):
            other = rules.replace(f"alert: {alert}\n", f"alert: {alert}Renamed\n")
            (Path(copy) / "alerts.yml").write_text(other, "utf-8")
            command = ["promtool", "test", "rules", "alerts_test.yml"]
            if subprocess.run(command, cwd=copy, capture_output=True).returncode == 0:
                problems.append(alert)
    check("the tests miss each alert that does not fire", problems)


def check_pages(alerts: list[dict]) -> list[Path]:
    """The pages of the alerts."""
    problems, pages = [], set()
    for rule in alerts:
        slug = re.sub(r"(?<!^)([A-Z])", r"-\1", rule["name"]).lower()
        notes = rule["annotations"]
        if notes.get("runbook") != f"docs/runbooks/{slug}.md":
            problems.append(f"{rule['name']} points to {notes.get('runbook')}")
        if not re.search(r"[\u4e00-\u9fff]", notes.get("summary_zh", "")) or not notes.get("summary"):
            problems.append(f"{rule['name']} is not told in both languages")
        for language, headings in HEADINGS.items():
            page = RUNBOOKS / f"{slug}{language}.md"
            pages.add(page)
            text = page.read_text("utf-8") if page.is_file() else ""
            if not re.match(rf"# {rule['name']}[:：]", text):
                problems.append(f"{page.name} is not its page")
            if re.findall(r"^## (.*)$", text, re.M) != headings:
                problems.append(f"{page.name} has other headings")
    check(f"each of {len(alerts)} alerts has its page, in both languages", problems)
    broken = [f"{page.name}: {link}" for page in sorted(pages) if page.is_file()
              for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
              if not (page.parent / link).is_file()]
    check("no link of these pages is broken", broken)
    return [page for page in sorted(pages) if page.is_file()]


def check_titles():
    problems = []
    for name, board in boards().items():
        titles = [board["title"]] + [panel["title"] for panel in board["panels"]]
        if len(board["panels"]) < 20:
            problems.append(f"{name} has {len(board['panels'])} panels")
        for title in titles:
            if title != "RPC" and not (re.search(r"[\u4e00-\u9fff]", title) and re.search(r"[A-Za-z]", title)):
                problems.append(f"{name}: {title}")
        ids = [panel["id"] for panel in board["panels"]]
        if len(ids) != len(set(ids)):
            problems.append(f"{name} has an id twice")
    check("the boards' titles are Chinese and English", problems)


def check_names(live: Live, alerts: list[dict], pages: list[Path]):
    names = set().union(*map(served, live.expositions())) | OF_PROMETHEUS
    sources = {rule["name"]: used(rule["query"]) for rule in alerts}
    sources |= {name: set().union(*map(used, queries(board))) for name, board in boards().items()}
    sources |= {page.name: named(page.read_text("utf-8")) for page in pages}
    # A page may name a histogram without what Prometheus adds.
    roots = {re.sub(r"_bucket$", "", name) for name in names}
    count = len(set().union(*sources.values()))
    check(f"a real node serves the {count} metrics that are used",
          [f"{source}: {name}" for source, found in sources.items() for name in sorted(found - names - roots)])


def check_queries(live: Live):
    """Every query of the boards gives something on a network that works."""
    for name, board in boards().items():
        problems = []
        for query in queries(board):
            asked = query.replace("$__rate_interval", "15s").replace("$instance", live.targets[0])
            try:
                if not live.query(asked) and not used(query) & OFTEN_EMPTY:
                    problems.append(f"nothing for {asked}")
            except ValueError as error:
                problems.append(f"{asked}: {error}")
        check(f"each of {len(queries(board))} queries of {name} shows something", problems)


def check_alerts_live(live: Live):
    firing = live.query('ALERTS{alertstate="firing"}')
    check("a network that works raises no alert", [str(alert["metric"]) for alert in firing])
    live.network.kill(4)
    query = f'ALERTS{{alertname="NodeDown",instance="{live.targets[3]}"}}'
    until("Prometheus notices a dead node", lambda: live.query(query))
    check("a dead node is noticed, and no other",
          [str(alert) for alert in live.query('ALERTS{alertname="NodeDown"}')
           if alert["metric"]["instance"] != live.targets[3]])


def check_units(binaries: Path, work: Path):
    lines = {}
    for name in ("billchain", "billchain-release"):
        unit = (OPS / f"systemd/{name}@.service").read_text("utf-8")
        command = re.search(r"^ExecStart=(\S+) (.*)$", unit, re.M)
        # The analysis looks for the program.
        (work / f"{name}@.service").write_text(unit.replace(command[1], str(binaries / "billchain")), "utf-8")
        lines[name] = command[2].split()
    for name in lines:
        run(f"systemd finds nothing wrong with {name}@.service", "systemd-analyze", "verify",
            str(work / f"{name}@node-1.service"), silent=True)
    container = (OPS / "container/Containerfile").read_text("utf-8")
    cut = lines["billchain-release"].index("--")
    for_run = [
        *lines["billchain"][1:], *lines["billchain-release"][cut + 1:],
        *json.loads(re.search(r"^CMD (.*)$", container, re.M)[1])[1:],
    ]
    unknown = []
    for command, words in (["run"], for_run), (["release", "run"], lines["billchain-release"][2:cut]):
        known = subprocess.run([binaries / "billchain", *command, "--help"], capture_output=True, text=True).stdout
        unknown += [word for word in words if word.startswith("--") and not re.search(rf"{word}\b", known)]
    check("units and container give options that the program knows", unknown)


def check_container(binaries: Path, work: Path):
    tools = [tool for tool in ("podman", "docker") if shutil.which(tool)]
    tool = next((tool for tool in tools
                 if subprocess.run([tool, "info"], capture_output=True).returncode == 0), None)
    if tool is None:
        print("left out: building the container file, because neither podman nor docker works here")
        return
    shutil.copy(binaries / "billchain", work)
    run(f"{tool} builds the container file", tool, "build", "-f", str(OPS / "container/Containerfile"),
        "-t", "billchain-test", str(work))
    version = run("the container runs the node's program", tool, "run", "--rm", "billchain-test", "--version")
    check("which tells its version", [] if version.startswith("billchain ") else [version])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--base-port", type=int, required=True)
    options = parser.parse_args()
    check_rules()
    check_titles()
    with tempfile.TemporaryDirectory(prefix="billchain-ops-") as work:
        work = Path(work)
        (work / "unit").mkdir()
        check_units(options.bin, work / "unit")
        (work / "container").mkdir()
        check_container(options.bin, work / "container")
        with Live(options.bin, work, options.base_port) as live:
            alerts = live.alerts()
            pages = check_pages(alerts)
            check_names(live, alerts, pages)
            check_queries(live)
            check_alerts_live(live)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

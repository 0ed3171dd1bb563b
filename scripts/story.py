"""The longer story: what happens around the main job.

Participants and an access node are admitted, numbers are allotted, a scene and a
policy are approved,
a patient authorises an insurer and revokes it, administrators settle a dispute.
Every refusal that protects one of these is tried, too.
"""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

from network import Failure

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SCENE = 3  # 商业保险理赔
CODE = "31060199"  # of which no sample and no generated bill is
NEW_SCENE = 9
POLICY = 7


def play(story, work: Path, first: str, second: str):
    """Plays it with two registered bills (CODE-NUMBER) whose status is normal."""
    admission(story, work)
    numbers(story, work)
    scene(story)
    policy(story, work, first)
    authorisation(story, second)
    dispute(story, work, second)


def reason_of(answer: dict) -> str:
    """Name and words of a refusal."""
    error = answer.get("error") or {}
    if "name" not in error:
        return answer["stderr"].splitlines()[-1]
    details = f" ({error['details']})" if error.get("details") else ""
    return f"{error['name']}{details}: {error['docs']}"


def public_key(story, work: Path, seed: str) -> str:
    """The public key of a development seed."""
    result = subprocess.run(
        [
            story.network.billchain, "keys", "generate", "--development-seed", f"//{seed}",
            "--out", work / f"{seed}.pem",
        ],
        env={**os.environ, "BILLCHAIN_KEY_PASSWORD": "of a key that everybody has"},
        capture_output=True, text=True, timeout=60,
    )
    found = re.search(r"public key: (\S+)", result.stdout)
    if not found:
        raise Failure(f"no public key of //{seed}: {result.stdout}{result.stderr}")
    return found.group(1)


def expect(what: str, found, expected):
    if found != expected:
        raise Failure(f"{what} is {found!r}, not {expected!r}")


# -- admission ----------------------------------------------------------------


def admission(story, work: Path):
    def insurer():
        register = (
            "participants", "register", "did:bill:insurer-c", "--name", "示范保险公司丙（虚构）",
            "--public-key", public_key(story, work, "insurer-c"), "--roles", "user",
        )
        refused = story.admin_refused("NotMember", *register, actor="hospital")
        motion = story.admin(*register, actor="node-1")["motion"]
        early = story.admin_refused("TooEarly", "council", "close", motion, actor="node-1")
        for number in (2, 3):
            story.admin("council", "approve", motion, actor=f"node-{number}", node=number)
        story.admin("council", "close", motion, actor="node-4", node=4)
        shown = story.admin("participants", "show", "did:bill:insurer-c", node=2)
        expect("the status", shown["status"], "active")
        return (
            f"a hospital's motion: {reason_of(refused)}; closed after one vote: {reason_of(early)}; "
            f"after three votes {shown['name']} is active"
        )

    story.step(
        "The council admits insurer C by a motion",
        "not by a hospital, not by one vote; active after 3 votes of 4", insurer,
    )

    def patient():
        story.admin(
            "participants", "register", "did:bill:patient", "--name", "p-7c1f", "--kind", "person",
            "--public-key", public_key(story, work, "patient"), "--development-council",
        )
        shown = story.admin("participants", "show", "did:bill:patient", node=3)
        expect("the status", shown["status"], "active")
        return f"did:bill:patient is {shown['status']}, shown as {shown['name']}"

    story.step("The council admits a patient under a pseudonym", "active", patient)

    def access_node():
        credential = "0x" + hashlib.sha256(b"credential of the gateway").hexdigest()
        story.admin(
            "nodes", "register", "did:bill:gateway", "--operator-name", "示范网关（虚构）",
            "--credential-hash", credential, "--public-key", public_key(story, work, "gateway"),
            "--development-council",
        )
        link = ("nodes", "link", "did:bill:gateway", "did:bill:hospital", "--development-council")
        story.admin(*link)
        again = story.admin_refused("AlreadyLinked", *link)
        linked = story.admin("nodes", "of", "did:bill:hospital", node=4)["items"]
        expect("the hospital's access node", [one["node"] for one in linked], ["did:bill:gateway"])
        return f"did:bill:gateway serves the hospital; a second time: {reason_of(again)}"

    story.step(
        "The council admits an access node and links the hospital to it",
        "linked; a second link refused", access_node,
    )


# -- numbers ------------------------------------------------------------------


def original(work: Path, number: str) -> Path:
    """An outpatient bill with this number of the code whose numbers are allotted."""
    text = (SAMPLES / "outpatient.xml").read_text("utf-8")
    text = re.sub(r"(<EInvoiceCode>)[^<]*", rf"\g<1>{CODE}", text)
    text = re.sub(r"(<EInvoiceNumber>)[^<]*", rf"\g<1>{number}", text)
    path = work / f"{CODE}-{number}.xml"
    path.write_text(text, "utf-8")
    return path


def numbers(story, work: Path):
    first, second, last = "0000000001", "0000000002", "0000001000"

    def allot():
        rules = json.dumps([{"check": {"allotted": {"only": [CODE]}}}])
        story.admin("field-rules", "set", rules, "--development-council")
        allotment = ("allotments", "allot", "did:bill:hospital", CODE)
        own = story.admin_refused("NotAdministrator", *allotment, first, last, actor="hospital")
        story.admin(*allotment, first, last, actor="admin", node=2)
        again = story.admin_refused(
            "Overlapping", "allotments", "allot", "did:bill:hospital-1", CODE, last, last, actor="admin"
        )
        shown = story.admin("allotments", "show", CODE, second, node=3)
        expect("the owner", shown["issuer"], "did:bill:hospital")
        return (
            f"by the hospital itself: {reason_of(own)} By an administrator: {first} to {last} of code "
            f"{CODE}; one of them to another hospital: {reason_of(again)}"
        )

    story.step(
        "The council closes a code, and an administrator allots numbers of it to the hospital",
        "not by the hospital, no number twice", allot,
    )

    def squat():
        story.accepted("register", original(work, first), actor="hospital")
        refused = story.refused(
            "NumberNotAllotted", "register", original(work, second), actor="hospital-1", node=4
        )
        story.accepted("register", original(work, second), actor="hospital", node=2)
        held = story.admin("allotments", "of", "did:bill:hospital", node=3)["items"]
        found = [(one["used"], one["missing"]) for one in held[0]["ranges"]]
        expect("numbers used and missing", found, [(2, 0)])
        return f"another hospital: {reason_of(refused)} Its owner: registered; 2 numbers used, none missing"

    story.step(
        "Another hospital tries to take the hospital's next number", "refused; its owner registers it", squat
    )


# -- a scene ------------------------------------------------------------------


def scene(story):
    number = str(NEW_SCENE)
    state = {}

    def propose():
        answer = story.admin(
            "scenes", "register", number, "--name", "教育资助", "--mode", "cumulative",
            "--related", "成绩单,在读证明", "--reason", "新增业务", actor="admin",
        )
        state["approve"] = (
            "scenes", "approve", number, "--proposal", answer["proposal"], "--comment", "同意",
        )
        own = story.admin_refused("OwnProposal", *state["approve"], actor="admin")
        story.admin_refused("not found", "scenes", "show", number, node=2)
        return f"proposal {answer['proposal']}; own approval: {reason_of(own)}; the scene does not exist yet"

    story.step(
        "An administrator proposes a scene and tries to approve it alone",
        "the approval refused, no scene", propose,
    )

    def approve():
        if "approve" not in state:
            raise Failure("there is no proposal")
        story.admin(*state["approve"], actor="admin-2", node=3)
        shown = story.admin("scenes", "show", number, node=4)
        expect("the status", shown["status"], "active")
        return f"scene {number} {shown['name']} is active, version {shown['version']}"

    story.step("A second administrator approves it", "the scene is active", approve)


# -- a policy -----------------------------------------------------------------


def policy(story, work: Path, bill: str):
    document = work / "policy.json"
    document.write_text(json.dumps({
        "id": POLICY, "version": 1, "name": "理赔暂停", "keywords": ["理赔"], "scenes": [SCENE],
        "operations": ["lock"], "effect": "deny", "priority": 100,
        "description": "保险公司乙在商业保险理赔场景中暂停受理",
        "conditions": {"and": [
            {"=": ["claimant", "did:bill:insurer-b"]}, {">": ["total", 0]},
        ]},
    }, ensure_ascii=False), "utf-8")
    number = str(POLICY)

    def approve():
        story.admin("policies", "submit", document, actor="platform")
        verdict = ("policies", "approve", number, "1", "--comment", "同意")
        finalize = ("policies", "finalize", number, "1")
        story.admin(*verdict, actor="admin")
        early = story.admin_refused("Policy.", *finalize, actor="admin")
        story.admin(*verdict, actor="admin-2", node=2)
        story.admin(*finalize, actor="admin", node=3)
        story.admin("policies", "make-effective", number, "1", "--reason", "审批完成", actor="admin")
        shown = story.admin("policies", "show", number, node=4)
        expect("the status", shown["status"], "effective")
        steps = story.admin("policies", "flow", number, "1", node=4)["steps"]
        return f"after one approval: {reason_of(early)}; effective after {len(steps)} steps in its flow"

    story.step(
        "A policy that stops insurer B is submitted and approved by two administrators",
        "refused after one approval, effective after two", approve,
    )

    def enforce():
        lock = ("lock", bill, "--scene", SCENE, "--claim-no")
        answer = story.refused("PolicyDenied", *lock, "B-78", actor="insurer-b", node=2)
        if str(POLICY) not in (answer["error"].get("details") or ""):
            raise Failure(f"the refusal does not name policy {POLICY}: {answer['error']}")
        story.status(bill, "normal", node=3)
        story.accepted(*lock, "A-2026-002", actor="insurer-a", node=3)
        story.status(bill, "locked", node=4)
        story.accepted("unlock", bill, "--reason", "撤回理赔", actor="insurer-a")
        story.status(bill, "normal", node=2)
        return f"insurer B: {reason_of(answer)} Insurer A locked it, and gave it back"

    story.step(
        "Insurers B and A lock a bill in the policy's scene",
        "B refused with the policy's number, A admitted", enforce,
    )


# -- a grant ------------------------------------------------------------------


def authorisation(story, bill: str):
    grant = "0x" + hashlib.sha256(b"credential of the patient").hexdigest()
    lock = ("lock", bill, "--scene", SCENE, "--claim-no")

    def authorise():
        before = story.refused("GrantRequired", *lock, "C-1", actor="insurer-c")
        story.admin(
            "grants", "register", "--credential-hash", grant, "--subject", "did:bill:insurer-c",
            "--bill", bill, "--scene", SCENE, actor="patient",
        )
        return f"before: {reason_of(before)} Then the patient registered {grant}"

    story.step(
        "A patient authorises insurer C, which could not lock the bill before",
        "refused before, then the grant is on the chain", authorise,
    )

    def use():
        story.accepted(*lock, "C-1", "--grant", grant, actor="insurer-c", node=2)
        held = story.status(bill, "locked", node=3)["lock"]
        expect("the lock's grant", held["grant"], grant)
        uses = story.admin("grants", "show", grant, node=4)["uses"]
        expect("the number of uses", uses, 1)
        return f"locked by {held['holder']}, the lock names the grant, whose uses are {uses}"

    story.step("Insurer C locks the bill by the grant", "the lock names it, one use recorded", use)

    def revoke():
        story.accepted("unlock", bill, "--reason", "材料不全", actor="insurer-c")
        story.admin("grants", "revoke", grant, "--reason", "撤回授权", actor="patient")
        answer = story.refused(
            "Grant.Revoked", *lock, "C-2", "--grant", grant, actor="insurer-c", node=4
        )
        story.status(bill, "normal", node=2)
        return f"refused: {reason_of(answer)}"

    story.step("The patient revokes the grant, and insurer C tries again", "refused, with the reason", revoke)


# -- a dispute ----------------------------------------------------------------


def dispute(story, work: Path, bill: str):
    evidence = work / "evidence.txt"
    evidence.write_text("核查笔录：双方均主张该票据\n", "utf-8")
    grounds = ("--reason", "人工核查", "--evidence", evidence)
    state = {}

    def lock():
        parties = ("--party", "did:bill:insurer-a", "--party", "did:bill:insurer-c")
        opening = ("cases", "open", bill, *parties, *grounds)
        other = story.admin_refused("NotAdministrator", *opening, actor="insurer-a")
        state["case"] = case = story.admin(*opening, actor="admin")["case"]
        story.admin("cases", "lock", case, *grounds, actor="admin", node=2)
        held = story.status(bill, "locked", node=3)["lock"]
        claim = story.refused(
            "LockedByAdministrator", "lock", bill, "--claim-no", "A-2026-003", actor="insurer-a", node=4
        )
        return (
            f"an insurer's case: {reason_of(other)} Case {case}: locked by {held['holder']}; "
            f"insurer A: {reason_of(claim)}"
        )

    story.step(
        "An administrator opens a case over the bill and locks it by hand",
        "not an insurer; locked by the administrator, insurer A refused", lock,
    )

    def settle():
        if "case" not in state:
            raise Failure("there is no case")
        case = state["case"]
        story.admin("cases", "unlock", case, *grounds, actor="admin")
        story.status(bill, "normal", node=2)
        story.admin(
            "cases", "close", case, "--in-favour-of", "did:bill:insurer-a", *grounds, actor="admin"
        )
        shown = story.admin("cases", "show", case, node=3)
        expect("whether the case is open", shown["open"], False)
        expect("the party it favours", shown["decision"]["in_favour_of"], "did:bill:insurer-a")
        acts = [one["act"] for one in story.admin("cases", "acts", case, node=4)["items"]]
        expect("the acts", acts, ["opened", "locked", "unlocked", "closed"])
        story.accepted("lock", bill, "--claim-no", "A-2026-003", actor="insurer-a", node=4)
        held = story.status(bill, "locked")["lock"]["holder"]
        expect("the holder", held, "did:bill:insurer-a")
        return f"case {case}: {', '.join(acts)}, in favour of insurer A, which then locked the bill"

    story.step(
        "The administrator unlocks the bill and closes the case",
        "unlocked, closed, four acts on record, insurer A can lock", settle,
    )

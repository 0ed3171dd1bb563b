"""py-substrate-interface, which we did not write, against a development network.

Operations run in order: the later ones read what the earlier ones wrote.
"""

import hashlib
import importlib.metadata
import time

import scalecodec.types
from scalecodec.base import ScaleBytes
from substrateinterface import Keypair, SubstrateInterface
from websocket import WebSocketConnectionClosedException

from report import BASE, WS, Report, refused, restart, same

ALICE = Keypair.create_from_uri("//Alice")
report = Report("py-substrate-interface", importlib.metadata.version("substrate-interface"))


def ascii_hex(text):
    return "0x" + text.encode().hex()


def bill(n, total=12345):
    """A bill of Alice's; `n` makes it new."""
    return {
        "key": {"code": ascii_hex("31060126"), "number": ascii_hex(f"{BASE + n:010}")},
        "check_code": ascii_hex("aZ09bY"),
        "kind": "Blue",
        "issue_date": 20260301,
        "issue_time": 93015,
        "total": total,
        "issuer": "did:bill:alice",
        "issuer_uscc": ascii_hex("91350100M000100Y43"),
        "payer_type": "Person",
        "payer_ref": "0x" + "01" * 32,
        "scene": 1,
        "biz_no_hash": "0x" + "02" * 32,
        "xml_hash": "0x" + "03" * 32,
        "pdf_hash": "0x" + "00" * 32,
        "location_hash": "0x" + "00" * 32,
        "related": None,
    }


def inner_error(events):
    """The name of the error within the contract's error, by the metadata alone."""
    failed = next(e.value for e in events if e.value["event_id"] == "ExtrinsicFailed")
    module = failed["attributes"]["dispatch_error"]["Module"]
    error = bytes.fromhex(module["error"][2:])
    pallet = next(p for p in chain.metadata.pallets if p.value["index"] == module["index"])
    variants = chain.metadata.portable_registry["types"][pallet.value["error"]["ty"]]
    outer = next(
        v for v in variants.value["type"]["def"]["variant"]["variants"] if v["index"] == error[0]
    )
    decoded = chain.create_scale_object(f"scale_info::{outer['fields'][0]['type']}")
    return outer["name"], decoded.decode(ScaleBytes(error[1:]), check_remaining=False)


def registration(n, **more):
    return chain.compose_call("BillRegister", "register", {"summary": bill(n, **more)})


def submit(call, **how):
    extrinsic = chain.create_signed_extrinsic(call, ALICE, **how)
    return chain.submit_extrinsic(extrinsic, wait_for_finalization=True)


def succeeds(call, event, **how):
    receipt = submit(call, **how)
    assert receipt.is_success, receipt.error_message
    found = [e.value for e in receipt.triggered_events if e.value["event_id"] == event]
    assert found, f"no event {event}"
    return receipt, found


@report.works("connect")
def _():
    global chain
    chain = SubstrateInterface(url=WS)
    same(chain.rpc_request("system_chainType", [])["result"], "Development", "sort of chain")


@report.works("metadata")
def _():
    names = [call.name for call in chain.get_metadata_module("BillRegister").calls]
    assert "register" in names, names


@report.works("block hashes")
def _():
    head = chain.get_chain_finalised_head()
    number = chain.get_block_header(head)["header"]["number"]
    same(chain.get_block_hash(number), head, "hash of the head")


@report.works("a long payload")
def _():
    _, events = succeeds(registration(1), "BillRegistered")
    same((events[0]["module_id"], events[0]["attributes"]["total"]), ("BillRegister", 12345), "event")


@report.works("a short payload")
def _():
    succeeds(chain.compose_call("Utility", "batch", {"calls": []}), "BatchCompleted")


@report.works("storage")
def _():
    stored = chain.query("BillRegister", "Bills", [bill(1)["key"]])
    same(stored.value["summary"]["total"], 12345, "total")
    same(stored.value["state"]["status"], "Normal", "status")


@report.works("a map's pages")
def _():
    found = list(chain.query_map("Participant", "Participants", page_size=2))
    assert len(found) > 2 and len({str(key.value) for key, _ in found}) == len(found), found


@report.works("constants")
def _():
    same(chain.get_constant("System", "SS58Prefix").value, 42, "the prefix of addresses")


@report.works("events of a success")
def _():
    receipt, _ = succeeds(registration(2), "BillRegistered")
    events = chain.get_events(receipt.block_hash)
    found = [(e.value["module_id"], e.value["event_id"]) for e in events]
    assert ("System", "ExtrinsicSuccess") in found, found


@report.works("a contract's error, and the one within")
def _():
    receipt = submit(registration(1, total=54321))
    assert not receipt.is_success
    same(receipt.error_message["name"], "Bill", "outer error")
    assert "cannot come onto the chain" in " ".join(receipt.error_message["docs"])
    same(inner_error(receipt.triggered_events), ("Bill", "AlreadyExists"), "both errors")


@report.works("an error of the origin")
def _():
    receipt = submit(
        chain.compose_call("CouncilMembership", "add_member", {"who": ALICE.ss58_address})
    )
    same((receipt.is_success, receipt.error_message["name"]), (False, "BadOrigin"), "outcome")


@report.works("a call that the chain has not")
def _():
    call = chain.compose_call("System", "set_storage", {"items": []})
    refused(lambda: submit(call), "none that this chain admits")


@report.works("a refusal of the pool")
def _():
    refused(lambda: submit(registration(3), nonce=0), "nonce")


@report.works("a mortal transaction")
def _():
    succeeds(registration(4), "BillRegistered", era={"period": 64})


@report.works("an immortal transaction")
def _():
    succeeds(registration(5), "BillRegistered", era="00")


@report.works("a batch")
def _():
    calls = [registration(n) for n in (6, 7)]
    call = chain.compose_call("Utility", "batch_all", {"calls": calls})
    _, events = succeeds(call, "BillRegistered")
    same(len(events), 2, "events of the contract")


@report.works("watching")
def _():
    extrinsic = chain.create_signed_extrinsic(registration(8), ALICE)
    seen = []

    def told(message, _update_nr, _subscription):
        result = message["params"]["result"]
        seen.append(result if isinstance(result, str) else next(iter(result)))
        return True if seen[-1] == "finalized" else None

    chain.rpc_request("author_submitAndWatchExtrinsic", [str(extrinsic.data)], result_handler=told)
    same([state for state in seen if state != "broadcast"], ["ready", "inBlock", "finalized"], "states")


@report.with_setting("a transaction's hash", "extrinsic_hash")
def _():
    # As it comes, the client names a transaction by a hash that the chain does not know.
    receipt, _ = succeeds(registration(9), "BillRegistered")
    status = chain.rpc_request("transaction_status", [receipt.extrinsic_hash])["result"]
    same(status["state"], "unknown", "state by Blake2")
    scalecodec.types.GenericExtrinsic.extrinsic_hash = property(
        lambda transaction: hashlib.new("sm3", transaction.data.data).digest()
    )
    receipt, _ = succeeds(registration(10), "BillRegistered")
    status = chain.rpc_request("transaction_status", [receipt.extrinsic_hash])["result"]
    same((status["state"], status["success"]), ("final", True), "state by SM3")


@report.works("a duplicate")
def _():
    extrinsic = chain.create_signed_extrinsic(registration(11), ALICE)
    first = chain.submit_extrinsic(extrinsic)
    second = chain.submit_extrinsic(extrinsic)
    same(second.extrinsic_hash, first.extrinsic_hash, "the hash of the same bytes")


@report.works("three blocks in order")
def _():
    heights = []

    def told(block, _update_nr, _subscription):
        heights.append(block["header"]["number"])
        return True if len(heights) == 3 else None

    chain.subscribe_block_headers(told, finalized_only=True)
    same(heights, [heights[0] + n for n in range(3)], "heights")


@report.works("old state")
def _():
    number = chain.get_block_number(chain.get_chain_head()) - 2
    stored = chain.query("System", "Number", block_hash=chain.get_block_hash(number))
    same(stored.value, number, "the number in the old state")


@report.works("fees")
def _():
    info = chain.get_payment_info(registration(12), ALICE)
    same(info["partialFee"], 0, "the fee")
    assert info["weight"]["ref_time"] > 0, info


@report.with_setting("an SM2 signature", "signer")
def _():
    import sm2

    key = sm2.development_key("//hospital-2")
    account = "0x" + key.account.hex()
    call = chain.compose_call("Utility", "batch", {"calls": []})
    nonce = chain.get_account_nonce(chain.ss58_encode(account))
    # The whole payload: the client's own function gives a hash of a long one.
    payload = sm2.payload(chain, call, nonce)
    transaction = sm2.transaction(key, call, nonce, key.sign(payload))
    answer = chain.rpc_request("author_submitExtrinsic", ["0x" + transaction.hex()])
    until = time.monotonic() + 30
    while True:
        status = chain.rpc_request("transaction_status", [answer["result"]])["result"]
        if status["state"] == "final":
            break
        assert time.monotonic() < until, status
    same(status["success"], True, "outcome")


@report.with_setting("a restart of the node", "open again")
def _():
    global chain
    restart()
    # The client opens a broken pipe again, and no connection that was closed.
    try:
        chain.get_chain_head()
    except WebSocketConnectionClosedException:
        chain = SubstrateInterface(url=WS)
    succeeds(registration(13), "BillRegistered")


report.end()

"""py-substrate-interface, which we did not write, against a development network.

BILLCHAIN_WS names the WebSocket of a running node. Tests run in the order of
their names: the later ones read what the earlier ones wrote.
"""

import os
import time
import unittest

from scalecodec.base import ScaleBytes
from substrateinterface import Keypair, SubstrateInterface

URL = os.environ["BILLCHAIN_WS"]
ALICE = Keypair.create_from_uri("//Alice")
NUMBER = str(2_000_000_000 + int(time.time() * 1000) % 1_000_000_000)


def ascii_hex(text):
    return "0x" + text.encode().hex()


def bill(total):
    """A bill of Alice's."""
    return {
        "key": {"code": ascii_hex("31060126"), "number": ascii_hex(NUMBER)},
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


def inner_error(chain, events):
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


class Client(unittest.TestCase):
    """One connection; each test is one thing that an integrator does."""

    @classmethod
    def setUpClass(cls):
        cls.chain = SubstrateInterface(url=URL)

    @classmethod
    def tearDownClass(cls):
        cls.chain.close()

    def register(self, total):
        call = self.chain.compose_call("BillRegister", "register", {"summary": bill(total)})
        extrinsic = self.chain.create_signed_extrinsic(call, ALICE)
        return self.chain.submit_extrinsic(extrinsic, wait_for_finalization=True)

    def test_1_events_of_a_block_decode(self):
        head = self.chain.get_chain_finalised_head()
        events = self.chain.get_events(head)
        found = [(e.value["module_id"], e.value["event_id"]) for e in events]
        self.assertIn(("System", "ExtrinsicSuccess"), found)

    def test_2_a_registration_is_final_and_its_event_is_read(self):
        receipt = self.register(12345)
        self.assertTrue(receipt.is_success, receipt.error_message)
        event = next(
            e.value for e in receipt.triggered_events if e.value["event_id"] == "BillRegistered"
        )
        self.assertEqual(event["module_id"], "BillRegister")
        self.assertEqual(event["attributes"]["total"], 12345)

    def test_3_the_bill_is_read_from_storage(self):
        stored = self.chain.query("BillRegister", "Bills", [bill(0)["key"]])
        self.assertEqual(stored.value["summary"]["total"], 12345)
        self.assertEqual(stored.value["state"]["status"], "Normal")

    def test_4_a_refusal_names_the_error_and_the_one_within_it(self):
        receipt = self.register(54321)
        self.assertFalse(receipt.is_success)
        self.assertEqual(receipt.error_message["name"], "Bill")
        self.assertIn("cannot come onto the chain", " ".join(receipt.error_message["docs"]))
        self.assertEqual(inner_error(self.chain, receipt.triggered_events), ("Bill", "AlreadyExists"))


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed != 0)

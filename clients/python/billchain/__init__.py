"""Client of the BillChain (财票链), a consortium chain for fiscal electronic bills (财政电子票据).

    from billchain import Client, Sm2Key, calls

    client = Client(["http://127.0.0.1:9944"], genesis, Sm2Key.load("hospital.pem", "password"))
    client.execute(calls.BillRegister.register(...))
    certificate, proved = client.certified("31060125", "0000000101")

docs/sdk.md is a guide of five minutes.
"""

from . import _calls as calls
from . import _types as types
from .client import Client, Outcome, Prepared
from .codec import Codec
from .errors import (BillChainError, CallFailed, CertificateRefused, FormError, KeyFileError,
                     NotFinal, RpcRefused, Unreachable, WrongChain)
from .keys import Signer, Sm2Key
from .verifier import verify

__all__ = ["BillChainError", "CallFailed", "CertificateRefused", "Client", "Codec", "FormError",
           "KeyFileError", "NotFinal", "Outcome", "Prepared", "RpcRefused", "Signer", "Sm2Key",
           "Unreachable", "WrongChain", "calls", "types", "verify"]

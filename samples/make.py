#!/usr/bin/env python3
"""Writes the sample bills of this directory, the same bytes every time.

The form is the real EInvoice one; people, institutions, amounts and numbers
are invented (the identity numbers have the region 000000, which nobody has).
"""

import base64
import hashlib
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(first17):
    """Appends the check digit of GB 32100."""
    weighted = sum(USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first17))
    return first17 + USCC_ALPHABET[-weighted % 31]


HOSPITAL = (uscc("1231000042500099A"), "上海市浦江示范医院（虚构）")
CATEGORIES = ["诊察费", "检查费", "化验费", "治疗费", "手术费", "护理费", "卫生材料费",
              "西药费", "中成药费", "床位费", "输血费", "其他门急诊收费"]
LINES = ["普通门诊诊察费", "胸部CT平扫", "血常规（五分类）", "静脉输液", "阿莫西林胶囊 0.25g×24粒",
         "一次性使用无菌注射器 5ml", "二级护理", "葡萄糖注射液 5% 250ml", "心电图检查", "氯化钠注射液 0.9%"]


def yuan(fen):
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def split(total, parts, rng):
    """`total` as `parts` positive amounts."""
    cuts = sorted(rng.sample(range(1, total), parts - 1))
    return [b - a for a, b in zip([0] + cuts, cuts + [total])]


def items_xml(amounts):
    for i, fen in enumerate(amounts):
        yield f"""      <Item>
        <ItemCode>{i + 1:02d}</ItemCode>
        <ItemName>{CATEGORIES[i % len(CATEGORIES)]}</ItemName>
        <ItemAmount>{yuan(fen)}</ItemAmount>
        <ItemUnit>元</ItemUnit>
        <ItemQuantity>1</ItemQuantity>
        <ItemStd>{yuan(fen)}</ItemStd>
        <ItemRemark/>
      </Item>
"""


def lines_xml(amounts, categories):
    for i, fen in enumerate(amounts):
        category = i % categories
        yield f"""      <AuxItem>
        <AuxItemRelatedCode>{category + 1:02d}</AuxItemRelatedCode>
        <AuxItemRelatedName>{CATEGORIES[category % len(CATEGORIES)]}</AuxItemRelatedName>
        <AuxItemCode>{i + 1:06d}</AuxItemCode>
        <AuxItemName>{LINES[i % len(LINES)]}</AuxItemName>
        <AuxItemQuantity>1</AuxItemQuantity>
        <AuxItemUnit>次</AuxItemUnit>
        <AuxItemStd>{yuan(fen)}</AuxItemStd>
        <AuxItemAmount>{yuan(fen)}</AuxItemAmount>
      </AuxItem>
"""


def seal_xml(party, name, seed):
    digest = hashlib.sha256(seed.encode()).digest()
    return f"""      <{party}Seal>
        <SealId>{seed}</SealId>
        <SealName>{name}</SealName>
        <SealHash>{base64.b64encode(digest).decode()}</SealHash>
      </{party}Seal>
"""


def signature_xml(reference, time, serial, rng):
    """A signature's form; its value is invented, 64 bytes that nobody signed."""
    value = base64.b64encode(rng.randbytes(64)).decode()
    return f"""    <Signature>
      <SignedInfo>
        <Reference>{reference}</Reference>
        <SignatureAlgorithm>1.2.156.10197.1.501</SignatureAlgorithm>
        <SignatureFormat>DETACH</SignatureFormat>
      </SignedInfo>
      <SignatureTime>{time}</SignatureTime>
      <SignatureValue>{value}</SignatureValue>
      <KeyInfo>
        <SerialNumber>{serial}</SerialNumber>
        <X509IssuerName>C=CN,O=示例电子认证服务机构（虚构）</X509IssuerName>
      </KeyInfo>
    </Signature>
"""


def bill(*, code, number, check, title, total, items, lines, payer, date, time, biz,
         related=None, remark="", encoding="UTF-8", signed=False):
    rng = random.Random(f"{code}-{number}")
    sign = -1 if total < 0 else 1
    item_amounts = [sign * a for a in split(abs(total), items, rng)]
    line_amounts = [sign * a for a in split(abs(total), lines, rng)]
    payer_type, payer_code, payer_name = payer
    extension = ""
    if related:
        extension = f"""        <RelatedInvoiceCode>{related[0]}</RelatedInvoiceCode>
        <RelatedInvoiceNumber>{related[1]}</RelatedInvoiceNumber>
"""
    seals = signatures = ""
    if signed:
        seals = (seal_xml("InvoicingParty", "上海市浦江示范医院票据专用章（虚构）", "SEAL-HOSPITAL-1")
                 + seal_xml("SupervisorParty", "上海市财政局票据监制章（虚构）", "SEAL-FINANCE-1"))
        at = f"{date}{time.replace(':', '')}"
        signatures = ("  <EInvoiceSignature>\n"
                      + signature_xml("Header,EInvoiceData", at, "4A01", rng)
                      + signature_xml("SM3(Header,EInvoiceData),Signature", at, "4A02", rng)
                      + "  </EInvoiceSignature>\n")
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<EInvoice>
  <Header>
    <EInvoiceID>{code}-{number}-{check}-{date}</EInvoiceID>
    <EInvoiceTag>CZ-EI-31</EInvoiceTag>
    <Version>1.0</Version>
  </Header>
  <EInvoiceData>
    <Main>
      <EInvoiceName>{title}</EInvoiceName>
      <EInvoiceCode>{code}</EInvoiceCode>
      <EInvoiceNumber>{number}</EInvoiceNumber>
      <RandomNumber>{check}</RandomNumber>
      <EInvoiceSpecimenCode>{code[2:6]}01</EInvoiceSpecimenCode>
      <SupervisorAreaCode>310000</SupervisorAreaCode>
      <TotalAmount>{yuan(total)}</TotalAmount>
      <IssueDate>{date}</IssueDate>
      <IssueTime>{time}</IssueTime>
      <InvoicingParty>
        <InvoicingPartyCode>{HOSPITAL[0]}</InvoicingPartyCode>
        <InvoicingPartyName>{HOSPITAL[1]}</InvoicingPartyName>
        <RecName>{HOSPITAL[1]}</RecName>
        <RecAcct/>
        <RecOpBk/>
      </InvoicingParty>
      <PayerParty>
        <PayerPartyType>{payer_type}</PayerPartyType>
        <PayerPartyCode>{payer_code}</PayerPartyCode>
        <PayerPartyName>{payer_name}</PayerPartyName>
        <PayerAcct/>
        <PayerOpBk/>
      </PayerParty>
      <PayMode>1</PayMode>
      <BizCode>{biz}</BizCode>
      <CurrencyType>CNY</CurrencyType>
      <ExchangeRate>1.00</ExchangeRate>
      <Remark>{remark}</Remark>
      <HandlingPerson>收费处一号窗口</HandlingPerson>
      <Checker>财务科</Checker>
{seals}      <MainExt>
{extension}        <MedicalInstitutionType>综合医院</MedicalInstitutionType>
      </MainExt>
    </Main>
    <Details>
{"".join(items_xml(item_amounts))}    </Details>
    <AuxDetails>
{"".join(lines_xml(line_amounts, items))}    </AuxDetails>
  </EInvoiceData>
{signatures}</EInvoice>
"""


ZHANG = (1, "000000198803120011", "张示例")
LI = (1, "00000019620718006X", "李样本")
COMPANY = (2, uscc("91310000MA1000099"), "上海示例科技有限公司（虚构）")
OUTPATIENT = "上海市医疗门诊收费票据（电子）"
INPATIENT = "上海市医疗住院收费票据（电子）"

SAMPLES = {
    "outpatient.xml": dict(
        code="31060125", number="0000000101", check="a1B2c3", title=OUTPATIENT, total=11_050,
        items=3, lines=4, payer=ZHANG, date="20250318", time="09:41:05",
        biz="MZ202503180000101", remark="门诊 <内科> & 化验".replace("&", "&amp;").replace("<", "&lt;")),
    "outpatient-gbk.xml": dict(
        code="31060125", number="0000000102", check="Zz09Qx", title=OUTPATIENT, total=26_880,
        items=5, lines=6, payer=COMPANY, date="20250318", time="10:02:59",
        biz="MZ202503180000102", remark="单位体检", encoding="GBK"),
    "inpatient.xml": dict(
        code="31060225", number="0000000201", check="7hK9mP", title=INPATIENT, total=612_345,
        items=9, lines=180, payer=LI, date="20250402", time="15:30:00", biz="ZY202504020000201"),
    "inpatient-2000-lines.xml": dict(
        code="31060225", number="0000000202", check="0aA1bB", title=INPATIENT, total=48_903_217,
        items=12, lines=2_000, payer=LI, date="20250421", time="23:59:59",
        biz="ZY202504210000202"),
    # With the signatures and seals of the ministry's form, in what Windows calls Unicode.
    "outpatient-signed.xml": dict(
        code="31060125", number="0000000105", check="s1Gn05", title=OUTPATIENT, total=7_600,
        items=2, lines=2, payer=LI, date="20250321", time="10:20:30",
        biz="MZ202503210000105", remark="复诊", encoding="UTF-16", signed=True),
    # The red bill that takes outpatient.xml back, and the one that replaces it.
    "outpatient-red.xml": dict(
        code="31060125", number="0000000103", check="rEd103", title=OUTPATIENT, total=-11_050,
        items=3, lines=4, payer=ZHANG, date="20250320", time="08:15:00",
        biz="MZ202503200000103", related=("31060125", "0000000101"), remark="退费冲红"),
    "outpatient-balance.xml": dict(
        code="31060125", number="0000000104", check="bAl104", title=OUTPATIENT, total=8_050,
        items=2, lines=3, payer=ZHANG, date="20250320", time="08:15:30",
        biz="MZ202503200000104", related=("31060125", "0000000101"), remark="部分退费后重开"),
}

if __name__ == "__main__":
    for name, fields in SAMPLES.items():
        (HERE / name).write_bytes(bill(**fields).encode(fields.get("encoding", "UTF-8")))

import { describe, expect, it } from "vitest";
import { file } from "./files";
import { attachedCertificate, codesOfXml, decoded, kindOf } from "../../src/lib/einvoice";

const sample = (name: string) => new Uint8Array(file(`samples/${name}`));
const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const text = (bytes: Uint8Array | null) => (bytes ? String.fromCharCode(...bytes) : null);

describe("an XML original", () => {
  it("says its codes", () => {
    expect(codesOfXml(sample("outpatient.xml"))).toEqual({ code: "31060125", number: "0000000101", checkCode: "a1B2c3", issueDate: 20250318, totalFen: 11050 });
  });

  it("says them in GBK, too", () => {
    expect(codesOfXml(sample("outpatient-gbk.xml"))).toMatchObject({ code: "31060125", number: "0000000102", checkCode: "Zz09Qx" });
    expect(decoded(sample("outpatient-gbk.xml"))).toContain("医疗");
  });

  it.each([["inpatient.xml"], ["outpatient-red.xml"], ["outpatient-balance.xml"], ["outpatient-signed.xml"], ["inpatient-2000-lines.xml"]])(
    "%s is read", (name) => expect(codesOfXml(sample(name))).toMatchObject({ code: expect.stringMatching(/^\d{8}$/) as string, number: expect.stringMatching(/^\d{10}$/) as string }),
  );

  it.each([
    ["nothing", ""], ["no XML", "hello"], ["another XML", "<a/>"], ["cut", "<EInvoice><EInvoiceData><Main><EInvoiceCode>31060125"],
    ["codes of another form", "<EInvoice><EInvoiceData><Main><EInvoiceCode>1</EInvoiceCode><EInvoiceNumber>2</EInvoiceNumber></Main></EInvoiceData></EInvoice>"],
    ["a document type", "<!DOCTYPE a [<!ENTITY b 'c'>]><EInvoice/>"],
  ])("%s gives none", (_, xml) => expect(codesOfXml(ascii(xml))).toBeNull());

  it("that is too long is not read", () => expect(codesOfXml(new Uint8Array(4 * 1024 * 1024 + 1))).toBeNull());
  it("that is no UTF-8 is not read", () => expect(codesOfXml(Uint8Array.of(0x3c, 0x61, 0xff, 0xfe))).toBeNull());
});

describe("a file", () => {
  it.each([["%PDF-1.7", "pdf"], ["BCPF\x02", "certificate"], ["<?xml version='1.0'?>", "xml"], ["\xef\xbb\xbf<EInvoice>", "xml"], ["PK\x03\x04", "other"], ["", "other"]])(
    "that begins with %j is %s", (start, kind) => expect(kindOf(ascii(start))).toBe(kind),
  );
});

describe("a printed certificate", () => {
  const pdf = (...streams: [string, number?][]) =>
    ascii(`%PDF-1.7\n${streams.map(([body, length = body.length]) => `1 0 obj\n<</Length ${length}>>\nstream\n${body}\nendstream\nendobj\n`).join("")}%%EOF`);

  it("gives the certificate that is attached", () => {
    expect(text(attachedCertificate(pdf(["page"], ["BCPF\x02\xff\x00data"])))).toBe("BCPF\x02\xff\x00data");
  });

  it.each<[string, [string, number?][]]>([
    ["without one", [["page"]]], ["with two", [["BCPF1"], ["BCPF2"]]], ["with another length", [["BCPF1", 3]]], ["that is cut", [["BCPF1", 99999]]],
  ])("%s gives none", (_, streams) => expect(attachedCertificate(pdf(...streams))).toBeNull());
});

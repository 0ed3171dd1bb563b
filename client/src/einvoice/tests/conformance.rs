//! What is an XML 1.0 document with namespaces, and what its bytes encode.

use super::*;

const UTF16: &[u8] = include_bytes!("../cases/utf16.xml");
const MARKED_BUT_DECLARED_GBK: &[u8] = include_bytes!("../cases/bom-but-declared-gbk.xml");
const CONTROL_REFERENCE: &[u8] = include_bytes!("../cases/control-charref.xml");
const FOREIGN_EXTENSION: &[u8] = include_bytes!("../cases/foreign-namespace-extension.xml");

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// The outpatient sample with `encoding` in its declaration.
fn declared(encoding: &str) -> String {
    outpatient().replace("encoding=\"UTF-8\"", encoding)
}

#[test]
fn utf_16_of_either_byte_order_is_read() {
    let bill = EInvoice::parse(UTF16).unwrap();
    assert_eq!(bill.encoding, XmlEncoding::Utf16);
    assert_eq!(bill.xml_hash, sm3::sm3(UTF16));
    assert_eq!(
        (bill.issuer_name.as_str(), bill.total.get()),
        ("上海市浦江示范医院（虚构）", 11_050)
    );

    let plain = EInvoice::parse(outpatient().as_bytes()).unwrap();
    let (little, big) = (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes as _);
    for (encoding, unit, mark) in [
        ("encoding=\"UTF-16\"", little, "\u{FEFF}"),
        ("encoding=\"utf-16\"", big, "\u{FEFF}"),
        ("", little, "\u{FEFF}"),
        ("encoding='UTF-16LE'", little, ""),
        ("encoding='UTF-16BE'", big, ""),
        ("encoding='UTF-16BE'", big, "\u{FEFF}"),
    ] {
        let bytes = utf16(&format!("{mark}{}", declared(encoding)), unit);
        let bill = EInvoice::parse(&bytes).unwrap_or_else(|e| panic!("{encoding}: {e}"));
        assert_eq!(bill.encoding, XmlEncoding::Utf16);
        assert_eq!((bill.key, &bill.payer), (plain.key, &plain.payer), "{encoding}");
        // Half a character at the end, and half a pair of surrogates.
        let error = EInvoice::parse(&bytes[..bytes.len() - 1]).unwrap_err();
        assert!(matches!(error, EInvoiceError::NotInEncoding { .. }), "{error}");
        let error = EInvoice::parse(&[&bytes[..], &unit(0xD800)].concat()).unwrap_err();
        assert!(
            matches!(error, EInvoiceError::NotInEncoding { expected: XmlEncoding::Utf16, at }
                if at == bytes.len()),
            "{error}"
        );
    }
    for encoding in ["", "encoding='UTF-16'"] {
        let bytes = utf16(&declared(encoding), little);
        assert_eq!(EInvoice::parse(&bytes).unwrap_err(), EInvoiceError::NoByteOrderMark);
    }
}

#[test]
fn a_byte_order_mark_and_a_declaration_that_contradict_each_other_are_both_named() {
    let error = EInvoice::parse(MARKED_BUT_DECLARED_GBK).unwrap_err().to_string();
    assert!(error.contains("encoding GBK") && error.contains("mark of UTF-8"), "{error}");

    const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
    const GB18030_MARK: &[u8] = b"\x84\x31\x95\x33";
    let bytes = |text: String| text.into_bytes();
    let (little, big) = (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes as _);
    let marked = |name, unit| utf16(&format!("\u{FEFF}{}", declared(name)), unit);
    // (document, words of the error)
    let table: [(Vec<u8>, [&str; 2]); 9] = [
        ([UTF8_MARK, declared("encoding='GB18030'").as_bytes()].concat(), ["GB18030", "UTF-8"]),
        ([UTF8_MARK, declared("encoding='UTF-16'").as_bytes()].concat(), ["UTF-16", "UTF-8"]),
        ([GB18030_MARK, declared("encoding='UTF-8'").as_bytes()].concat(), ["UTF-8", "GB18030"]),
        ([GB18030_MARK, declared("").as_bytes()].concat(), ["UTF-8, by default", "GB18030"]),
        (bytes(declared("encoding='UTF-16'")), ["UTF-16", "itself is not in UTF-16"]),
        (marked("encoding='UTF-8'", little), ["UTF-8", "UTF-16, little endian"]),
        (marked("encoding='GBK'", big), ["GBK", "UTF-16, big endian"]),
        (marked("encoding='UTF-16BE'", little), ["UTF-16BE", "little endian"]),
        (marked("encoding='UTF-16LE'", big), ["UTF-16LE", "big endian"]),
    ];
    for (document, words) in table {
        let error = EInvoice::parse(&document).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, EInvoiceError::EncodingContradiction { .. }), "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let gb18030 = encoding_rs::GB18030.encode(&declared("encoding='GB18030'")).0.into_owned();
    let bill = EInvoice::parse(&[GB18030_MARK, &gb18030].concat()).unwrap();
    assert_eq!(bill.encoding, XmlEncoding::Gbk);
    for utf32 in [&b"\xFF\xFE\0\0<\0\0\0"[..], b"\0\0\xFE\xFF\0\0\0<", b"<\0\0\0", b"\0\0\0<"] {
        let error = EInvoice::parse(utf32).unwrap_err();
        assert_eq!(error, EInvoiceError::UnsupportedEncoding { found: "UTF-32".to_owned() });
    }
}

#[test]
fn nothing_stands_before_the_declaration() {
    for (space, before) in [("\n", 1), (" \r\n\t", 4)] {
        let xml = format!("{space}{}", outpatient());
        let expected = EInvoiceError::DeclarationNotFirst { before };
        assert_eq!(EInvoice::parse(xml.as_bytes()).unwrap_err(), expected);
        let marked = utf16(&format!("\u{FEFF}{space}{}", declared("")), u16::to_le_bytes);
        assert_eq!(EInvoice::parse(&marked).unwrap_err(), expected);
    }
    let xml = format!("<!-- a comment -->{}", outpatient());
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::Malformed { line: 1, .. }), "{error}");
    // Without a declaration, white space may begin a document.
    let body = outpatient().split_once("?>").unwrap().1.to_owned();
    EInvoice::parse(format!("\n \n{body}").as_bytes()).unwrap();
}

#[test]
fn a_declaration_that_is_none_is_refused() {
    for declaration in [
        "<?xml?>",
        "<?xml encoding=\"UTF-8\"?>",
        "<?xml version=\"1.1\"?>",
        "<?xml version=\"2.0\"?>",
        "<?xml version=1.0?>",
        "<?xml version=\"1.0\"encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" standalone=\"maybe\"?>",
        "<?xml version=\"1.0\" standalone=\"yes\" encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" version=\"1.0\"?>",
        "<?XML version=\"1.0\"?>",
        "<?xml version=\"1.0\" ea:ncoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\"?><?xml version=\"1.0\"?>",
        "<?xml version=\"1.0\"",
    ] {
        let body = outpatient().split_once("?>").unwrap().1.to_owned();
        let error = EInvoice::parse(format!("{declaration}{body}").as_bytes()).unwrap_err();
        assert!(matches!(error, EInvoiceError::Malformed { .. }), "{declaration}: {error}");
    }
    for declaration in [
        "<?xml\tversion='1.0'?>",
        "<?xml\nversion = \"1.0\"\nencoding = 'utf-8' standalone='no' ?>",
        "<?xml version=\"1.5\"?>",
    ] {
        let body = outpatient().split_once("?>").unwrap().1.to_owned();
        let read = EInvoice::parse(format!("{declaration}{body}").as_bytes());
        read.unwrap_or_else(|e| panic!("{declaration}: {e}"));
    }
}

#[test]
fn a_character_that_xml_does_not_have_is_named_with_its_place() {
    let error = EInvoice::parse(CONTROL_REFERENCE).unwrap_err();
    assert!(matches!(error, EInvoiceError::NoCharacter { line: 29, code: 1, .. }), "{error}");
    assert!(error.to_string().contains("line 29"), "{error}");

    // (written in a text, the character)
    let table = [
        ("\0", 0),
        ("\u{1}", 1),
        ("\u{B}", 0xB),
        ("\u{1F}", 0x1F),
        ("\u{FFFE}", 0xFFFE),
        ("\u{FFFF}", 0xFFFF),
        ("&#0;", 0),
        ("&#1;", 1),
        ("&#x1;", 1),
        ("&#xFFFE;", 0xFFFE),
        ("&#xD800;", 0xD800),
        ("&#x110000;", 0x11_0000),
    ];
    for (written, code) in table {
        for place in [">MZ202503180000101<", ">收费处一号窗口<"] {
            let xml = outpatient().replace(place, &format!(">{written}<"));
            let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
            assert!(
                matches!(error, EInvoiceError::NoCharacter { code: found, .. } if found == code),
                "{written:?}: {error}"
            );
        }
    }
    let xml = outpatient().replace("<PayMode>", "<PayMode a=\"&#2;\">");
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::NoCharacter { code: 2, .. }), "{error}");
    for raw in ["<!-- \0 -->", "<?p \0?>", "<![CDATA[\0]]>", "<PayMode \0=\"\"/>"] {
        let xml = outpatient().replace("<PayMode>", &format!("{raw}<PayMode>"));
        let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
        assert!(matches!(error, EInvoiceError::NoCharacter { code: 0, .. }), "{raw}: {error}");
    }
    // C1 controls and characters that Unicode has not assigned are characters.
    for sound in ["\u{7F}", "\u{85}", "&#x80;", "&#x10FFFF;", "\u{10FFFF}", "&#9;"] {
        let xml = outpatient().replace(">收费处一号窗口<", &format!(">{sound}<"));
        EInvoice::parse(xml.as_bytes()).unwrap_or_else(|e| panic!("{sound:?}: {e}"));
    }
}

#[test]
fn an_undeclared_prefix_is_named_with_its_place() {
    let table = [
        ("<sh:Note>1</sh:Note><PayMode>", "sh:Note"),
        ("<PayMode sh:a=\"1\">", "sh:a"),
        // Declared elsewhere, not around it.
        ("<A xmlns:sh=\"urn:a\"/><sh:Note/><PayMode>", "sh:Note"),
    ];
    for (written, name) in table {
        let xml = outpatient().replace("<PayMode>", written);
        let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
        assert!(
            matches!(&error, EInvoiceError::UndeclaredPrefix { line: 33, name: found, .. }
                if found == name),
            "{written}: {error}"
        );
    }
    let xml = outpatient().replace("<EInvoiceCode>", "<x:EInvoiceCode>");
    let xml = xml.replace("</EInvoiceCode>", "</x:EInvoiceCode>");
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
    assert!(matches!(error, EInvoiceError::UndeclaredPrefix { .. }), "{error}");
}

#[test]
fn elements_of_other_namespaces_are_skipped_with_what_is_in_them() {
    let bill = EInvoice::parse(FOREIGN_EXTENSION).unwrap();
    assert_eq!(bill.total.get(), 11_050);

    let plain = EInvoice::parse(outpatient().as_bytes()).unwrap();
    for extension in [
        "<TotalAmount xmlns=\"urn:shanghai\">99.00</TotalAmount>",
        "<sh:A xmlns:sh=\"urn:shanghai\"><TotalAmount>99.00</TotalAmount></sh:A>",
        "<A xmlns=\"urn:b\"><TotalAmount xmlns=\"\">99.00</TotalAmount></A>",
        "<MainExt><RelatedInvoiceCode xmlns=\"urn:b\">x</RelatedInvoiceCode></MainExt>",
    ] {
        let xml = outpatient().replace("<PayMode>", &format!("{extension}<PayMode>"));
        let bill = EInvoice::parse(xml.as_bytes()).unwrap_or_else(|e| panic!("{extension}: {e}"));
        assert_eq!(EInvoice { xml_hash: plain.xml_hash, ..bill }, plain, "{extension}");
    }
    // The namespace of the outermost element is the form's, by whichever prefix.
    let xml = outpatient().replace("<EInvoice>", "<EInvoice xmlns=\"urn:mof\">");
    assert_eq!(EInvoice::parse(xml.as_bytes()).unwrap().key, plain.key);
    let xml = outpatient()
        .replace("<EInvoice>", "<EInvoice xmlns=\"urn:mof\" xmlns:m=\"urn:mof\">")
        .replace("TotalAmount>", "m:TotalAmount>");
    assert_eq!(EInvoice::parse(xml.as_bytes()).unwrap().total, plain.total);
    // What the form asks for does not come from another namespace.
    let xml = outpatient().replace("<TotalAmount>", "<TotalAmount xmlns=\"urn:b\">");
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
    assert_eq!(error, EInvoiceError::MissingElement { path: element::TOTAL });
    // Within a text that is read, every element is in the way.
    let xml = outpatient().replace(">110.50<", ">110.50<b:a xmlns:b=\"urn:b\"/><");
    let error = EInvoice::parse(xml.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("TotalAmount") && error.contains("<b:a>"), "{error}");
}

/// By the productions and constraints of both specifications.
#[test]
fn what_is_not_well_formed_is_refused_at_its_line() {
    for written in [
        "<A b=1/>",
        "<A b/>",
        "<A b='1'c='2'/>",
        "<A b='<'/>",
        "<A b='</A>'/>",
        "<A b='<!-- -->'/>",
        "<A b='<![CDATA[]]>'/>",
        "<A b='1' b='2'/>",
        "<A x:b='1' y:b='2' xmlns:x='urn:a' xmlns:y='urn:a'/>",
        "<A xmlns:b='urn:a' xmlns:b='urn:b'/>",
        "<A xmlns='urn:a' xmlns='urn:a'/>",
        "<A xmlns:b=''/>",
        "<A xmlns:xmlns='urn:a'/>",
        "<A xmlns:xml='urn:a'/>",
        "<A xmlns:b='http://www.w3.org/XML/1998/namespace'/>",
        "<A xmlns:b='http://www.w3.org/2000/xmlns/'/>",
        "<A xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<xmlns:A/>",
        "<a:b:c xmlns:a='urn:a'/>",
        "<:A/>",
        "<A:/>",
        "<a:1 xmlns:a='urn:a'/>",
        "<A a:-b='' xmlns:a='urn:a'/>",
        "<A xmlns:1='urn:a'/>",
        "<1A/>",
        "<-A/>",
        "< A/>",
        "<A / >",
        "<A></ A>",
        "<A></B>",
        "<a:A xmlns:a='urn:a' xmlns:b='urn:a'></b:A>",
        "<A>]]></A>",
        "<A>&amp</A>",
        "<A>&;</A>",
        "<A>& </A>",
        "<A>&#;</A>",
        "<A>&#x;</A>",
        "<A>&#xG;</A>",
        "<A>&#a;</A>",
        "<A>&#X41;</A>",
        "<A>&#4294967297;</A>",
        "<A><!-- a -- b --></A>",
        "<A><!-- a ---></A>",
        "<A><![cdata[a]]></A>",
        "<A><?xml version='1.0'?></A>",
        "<A><?XmL?></A>",
        "<A><??></A>",
        "<A><?a:b?></A>",
        "<A><?a+b?></A>",
        "<!ENTITY a 'b'>",
        "<![INCLUDE[]]>",
    ] {
        let xml = outpatient().replace("<PayMode>", &format!("{written}<PayMode>"));
        let error = EInvoice::parse(xml.as_bytes()).expect_err(written);
        let line = match error {
            EInvoiceError::Malformed { line, .. } => line,
            _ => panic!("{written}: {error}"),
        };
        // A declaration that repeats, and a reference without an end, are seen later.
        assert!(line == 33 || written.contains("&amp"), "{written}: {error}");
    }
    for written in [
        "<A b = '1'\n\tc=\"'\"  />",
        "<A b='&lt;&#60;>'/>",
        "<A>]] > ]&gt;</A>",
        "<A><!-- - <b> & --></A>",
        "<A><![CDATA[<a> & ]] > ]]></A>",
        "<A><?p ? > <a> & ?></A>",
        "<A xml:lang='zh'/>",
        "<A xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<票据 金额='1'/>",
        "<A xmlns:a='urn:a' xmlns:b='urn:b' a:c='' b:c='' c=''/>",
        "<a.b-c_d/>",
    ] {
        let xml = outpatient().replace("<PayMode>", &format!("{written}<PayMode>"));
        EInvoice::parse(xml.as_bytes()).unwrap_or_else(|e| panic!("{written}: {e}"));
    }
}

#[test]
fn line_ends_are_read_as_line_feeds() {
    let read = |text: &str| {
        let xml = outpatient().replace(">MZ202503180000101<", &format!(">{text}<"));
        EInvoice::parse(xml.as_bytes()).unwrap().biz_code
    };
    assert_eq!(read("a\r\nb\rc\nd"), "a\nb\nc\nd");
    assert_eq!(read("<![CDATA[a\r\nb]]>"), "a\nb");
    // A reference is the character itself.
    assert_eq!(read("a&#13;b"), "a\rb");
    let windows = outpatient().replace('\n', "\r\n");
    assert_eq!(EInvoice::parse(windows.as_bytes()).unwrap().items, 3);
}

#[test]
fn attributes_names_namespaces_and_elements_are_bounded() {
    let within = |element: String| {
        let xml = outpatient().replace("<PayMode>", &format!("{element}<PayMode>"));
        EInvoice::parse(xml.as_bytes())
    };
    let attributes = |count| (0..count).map(|i| format!(" a{i}=''")).collect::<String>();
    let namespaces =
        |count| (0..count).map(|i| format!(" xmlns:a{i}='urn:{i}'")).collect::<String>();
    let value = |bytes| format!("<A b='{}'/>", "x".repeat(bytes));
    for (sound, excess) in [
        (format!("<A{}/>", attributes(MAX_ATTRIBUTES)), format!("<A{}/>", attributes(200_000))),
        (format!("<A{}/>", namespaces(MAX_NAMESPACES)), format!("<A{}/>", namespaces(100_000))),
        (value(MAX_TEXT), value(MAX_TEXT + 2)),
        (format!("<{}/>", "a".repeat(MAX_NAME)), format!("<{}/>", "a".repeat(MAX_NAME + 2))),
    ] {
        within(sound).unwrap();
        let error = within(excess).unwrap_err();
        assert!(matches!(error, EInvoiceError::ElementTooLarge { line: 33, .. }), "{error}");
    }
    let many = format!("<A{}>{}</A>", namespaces(MAX_NAMESPACES), "<b/>".repeat(MAX_ELEMENTS));
    let error = within(many).unwrap_err();
    assert_eq!(error, EInvoiceError::TooManyElements { max: MAX_ELEMENTS });
}

#[test]
fn document_types_are_refused_whatever_they_hold() {
    for kind in [
        "<!DOCTYPE EInvoice>",
        "<!DOCTYPE EInvoice SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE EInvoice PUBLIC \"-//A//B\" \"http://127.0.0.1/a.dtd\">",
        "<!DOCTYPE EInvoice [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE EInvoice [<!ENTITY % a SYSTEM \"http://127.0.0.1/a\"> %a;]>",
        "<!DOCTYPE EInvoice [<!ENTITY a \"&b;&b;\"><!ENTITY b \"&a;&a;\">]>",
    ] {
        let xml = outpatient().replace("<EInvoice>", &format!("{kind}<EInvoice>"));
        let error = EInvoice::parse(xml.as_bytes()).unwrap_err();
        assert!(
            matches!(error, EInvoiceError::DocumentType | EInvoiceError::Malformed { .. }),
            "{kind}: {error}"
        );
    }
    let xml = outpatient().replace("<EInvoice>", "<!DOCTYPE EInvoice><EInvoice>");
    assert_eq!(EInvoice::parse(xml.as_bytes()).unwrap_err(), EInvoiceError::DocumentType);
}

use proptest::prelude::*;

use super::*;

fn masked(algorithm: &str, document: &str) -> String {
    let algorithm: Algorithm = algorithm.parse().unwrap_or_else(|e| panic!("{algorithm}: {e}"));
    let key = Key::new(b"a key of the tests").expect("long enough");
    let mut out = b"before".to_vec();
    let shown = mask(&algorithm, document, &key, &mut out);
    let out = String::from_utf8(out).expect("JSON is text");
    let out = out.strip_prefix("before").expect("what was there stays");
    match shown {
        Shown::Value => out.to_owned(),
        Shown::Null => {
            assert_eq!(out, "");
            "NULL".to_owned()
        }
    }
}

#[test]
fn a_path_masks_what_stands_there_and_nothing_else() {
    for (algorithm, document, shown) in [
        ("json($.a, full)", r#"{ "a" : "x" , "b":"x"}"#, r#"{ "a" : "******" , "b":"x"}"#),
        ("json($.a, full)", r#"{"a":{"b":[1]}}"#, r#"{"a":"******"}"#),
        ("json($.a, full)", r#"{"a":null}"#, r#"{"a":null}"#),
        ("json($.a, full)", r#"{"b":{"a":1}}"#, r#"{"b":{"a":1}}"#),
        (
            "json($.a.b, inner(0, 2))",
            r#"{"a":{"b":"12345","c":"1"}}"#,
            r#"{"a":{"b":"***45","c":"1"}}"#,
        ),
        ("json($.a[1], null)", r#"{"a":["x","y","z"]}"#, r#"{"a":["x",null,"z"]}"#),
        (
            "json($.a[*], full)",
            r#"{"a":["x",[1],{"q":1}]}"#,
            r#"{"a":["******","******","******"]}"#,
        ),
        ("json($.*, full)", r#"{"a":1,"b":[2]}"#, r#"{"a":"******","b":"******"}"#),
        ("json($.a.*, outer(1, 1))", r#"{"a":{"b":"xyz"}}"#, r#"{"a":{"b":"*y*"}}"#),
        ("json($.n, bucket(10))", r#"{"n":17.5,"m":17}"#, r#"{"n":10.0,"m":17}"#),
        ("json($.n, bucket(10))", r#"{"n":1.75e1}"#, r#"{"n":10.0}"#),
        ("json($.n, bucket(10))", r#"{"n":1e300}"#, r#"{"n":null}"#),
        ("json($.n, inner(0, 1))", r#"{"n":175}"#, r#"{"n":null}"#),
        ("json($.n, inner(0, 1))", r#"{"n":true}"#, r#"{"n":null}"#),
        ("json($.n, fixed(0))", r#"{"n":175}"#, r#"{"n":0}"#),
        ("json($.n, fixed('a\"b'))", r#"{"n":175}"#, r#"{"n":"a\"b"}"#),
        // Two paths, and two to one value.
        ("json($.a, full, $.b, null)", r#"{"b":1,"a":2}"#, r#"{"b":null,"a":"******"}"#),
        ("json($.a, full('1'), $.*, full('2'))", r#"{"a":0,"b":0}"#, r#"{"a":"1","b":"2"}"#),
        ("json($.a.b, full('1'), $.a, full('2'))", r#"{"a":{"b":0}}"#, r#"{"a":"2"}"#),
        // The same name twice: both.
        ("json($.a, full)", r#"{"a":1,"a":2}"#, r#"{"a":"******","a":"******"}"#),
        // A name written with escapes.
        ("json($.a, full)", r#"{"\u0061":1}"#, r#"{"\u0061":"******"}"#),
        ("json($.\"ä\", full)", r#"{"\u00e4":1,"ä":2}"#, r#"{"\u00e4":"******","ä":"******"}"#),
        ("json($.\"😀\", full)", r#"{"\ud83d\ude00":1}"#, r#"{"\ud83d\ude00":"******"}"#),
    ] {
        assert_eq!(masked(algorithm, document), shown, "{algorithm} of {document}");
    }
}

#[test]
fn a_document_of_another_shape_hides_rather_more() {
    for (algorithm, document, shown) in [
        // A name on an array: in each element.
        (
            "json($.a, full)",
            r#"[{"a":1},[{"a":2}],{"b":3}]"#,
            r#"[{"a":"******"},[{"a":"******"}],{"b":3}]"#,
        ),
        // An index on what is no array: the value itself.
        ("json($.a[*], email)", r#"{"a":"bob@b.de"}"#, r#"{"a":"b***@b.de"}"#),
        ("json($.a[3], full)", r#"{"a":"x"}"#, r#"{"a":"******"}"#),
        ("json($.a[0].b, full)", r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":"******","c":2}}"#),
        ("json($[*][*], full)", r#""x""#, r#""******""#),
        // A name on a text: what it hides may be inside.
        ("json($.a.b, full)", r#"{"a":"{\"b\":1}"}"#, r#"{"a":null}"#),
        ("json($.a.b, full)", r#"{"a":[1,null,{"b":1}]}"#, r#"{"a":[null,null,{"b":"******"}]}"#),
        ("json($.a, full)", r#""secret""#, "NULL"),
        ("json($.a, full)", "null", "null"),
        // A name that is half a character may be any.
        ("json($.a, full)", r#"{"\ud83d":1}"#, r#"{"\ud83d":"******"}"#),
    ] {
        assert_eq!(masked(algorithm, document), shown, "{algorithm} of {document}");
    }
}

#[test]
fn other_algorithms_mask_the_value_itself() {
    for (algorithm, document, shown) in [
        ("full", r#"{"a":1}"#, r#""******""#),
        ("full", "null", "null"),
        ("null", r#"{"a":1}"#, "NULL"),
        ("fixed('{}')", r#"{"a":1}"#, "{}"),
        ("fixed(n/a)", "[1]", r#""n/a""#),
        ("inner(1, 1)", r#""abc""#, r#""a*c""#),
        (
            "inner(1, 1)",
            r#"["abc", "a\"bc", "a\n\"", 5, {"k":"v"}]"#,
            r#"["a*c", "a**c", "a*\"", null, null]"#,
        ),
        ("inner(1, 1)", r#"["\"x\n"]"#, r#"["\"*\n"]"#),
        ("inner(1, 1)", r#"["\u00e4bc"]"#, r#"["ä*c"]"#),
        ("inner(1, 1)", r#"["\ud83dbc"]"#, r"[null]"),
        ("inner(1, 1)", r#"{"secret":"v"}"#, "NULL"),
        ("hash", "5", "NULL"),
        ("hash", "true", "NULL"),
        ("bucket(10)", " 17 ", " 10 "),
        ("bucket(1)", "17", "NULL"),
    ] {
        assert_eq!(masked(algorithm, document), shown, "{algorithm} of {document}");
    }
}

#[test]
fn what_is_no_json_is_null() {
    for document in [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "-",
        "1.",
        "1e",
        ".5",
        "+1",
        "tru",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\u{1}\"",
        "1 2",
        "{} x",
        "'a'",
        "NaN",
    ] {
        for algorithm in ["full", "json($.a, full)", "hash"] {
            assert_eq!(masked(algorithm, document), "NULL", "{algorithm} of {document:?}");
        }
    }
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(masked("json($.a[*].b, full)", &deep(DEPTH_MAX + 1)), "NULL");
    assert_ne!(masked("json($[0], hash)", &deep(DEPTH_MAX)), "NULL");
}

fn documents() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-c\"\\\\\n]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map("[a-c]{1}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_masked_is_json_and_the_rest_stays(document in documents()) {
        let text = document.to_string();
        for algorithm in ["json($.a, inner(1, 1), $.b[*], hash, $.c.a, bucket(10))", "outer(1, 1)"] {
            let shown = masked(algorithm, &text);
            if shown != "NULL" {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&shown).is_ok(), "{shown}");
            }
        }
        let outside = serde_json::json!({ "x": document, "a": "secret" });
        let read: serde_json::Value =
            serde_json::from_str(&masked("json($.a, full)", &outside.to_string())).expect("JSON");
        prop_assert_eq!(&read["x"], &outside["x"]);
        prop_assert_eq!(&read["a"], "******");
    }
}

"""YAML as CloudFormation and Step Functions read it."""

from __future__ import annotations

from imagemill_engine.aws_yaml import load_definition, load_template


def test_scalars_are_those_of_json():
    text = "{a: on, b: 2012-10-17, c: yes, d: true, e: 1, f: 1.5, g: null, h: 'false'}"
    assert load_definition(text) == {
        "a": "on",
        "b": "2012-10-17",
        "c": "yes",
        "d": True,
        "e": 1,
        "f": 1.5,
        "g": None,
        "h": "false",
    }


def test_short_forms_of_functions_become_the_long_ones():
    text = (
        "a: !Ref One\n"
        "b: !GetAtt One.Outputs.Two\n"
        "c: !Sub ['${x}', {x: !Ref One}]\n"
        "d: !If [Yes, !Ref One, !Ref 'AWS::NoValue']\n"
        "e: !Condition Yes\n"
        "f: !Select [0, !GetAZs '']\n"
        "g: !GetAtt [One, Arn]\n"
    )
    assert load_template(text) == {
        "a": {"Ref": "One"},
        "b": {"Fn::GetAtt": ["One", "Outputs.Two"]},
        "c": {"Fn::Sub": ["${x}", {"x": {"Ref": "One"}}]},
        "d": {"Fn::If": ["Yes", {"Ref": "One"}, {"Ref": "AWS::NoValue"}]},
        "e": {"Condition": "Yes"},
        "f": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        "g": {"Fn::GetAtt": ["One", "Arn"]},
    }

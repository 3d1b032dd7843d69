"""Which operations of AWS a program can come to, read from its code with the types that mypy finds.

A function is reached when one that is reached names it, whether it calls it or hands it on; of a
class that is named, what runs by itself. Only what is called by a name in a text is missed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import botocore.session
from botocore import xform_name
from mypy.build import BuildResult, build
from mypy.find_sources import create_source_list
from mypy.nodes import (
    Argument,
    Decorator,
    Expression,
    FuncDef,
    FuncItem,
    MemberExpr,
    MypyFile,
    NameExpr,
    Node,
    OverloadedFuncDef,
    Statement,
    SymbolNode,
    TypeInfo,
)
from mypy.options import Options
from mypy.types import (
    AnyType,
    CallableType,
    Instance,
    Type,
    TypeType,
    UnionType,
    get_proper_type,
)

from imagemill.project import ROOT

ROOMS = ("contract", "functions", "batch_worker/imagemill_worker")
SERVICES = ("s3", "stepfunctions", "sqs", "batch", "events")
BY_ITSELF = (
    "__init__",
    "__post_init__",
    "__enter__",
    "__exit__",
    "__iter__",
    "__next__",
    "__call__",
)
OBSTORE = "obstore."


@dataclass(slots=True)
class Names:
    """What a piece of code names: functions and classes of ours, obstore's, operations of AWS."""

    ours: set[str] = field(default_factory=set)
    obstore: set[str] = field(default_factory=set)
    operations: set[str] = field(default_factory=set)


def api_calls(entries: Iterable[str], but_for: str) -> tuple[set[str], set[str]]:
    """Methods of obstore, and operations of boto3's clients, that functions can come to.

    Nothing of the package `but_for` is there when they run.
    """
    code, waiting = _code(), list(entries)
    seen: set[str] = set()
    found = Names()
    while waiting:
        name = waiting.pop()
        if name in seen or name.startswith(but_for):
            continue
        seen.add(name)
        named = code.names_in(name)
        waiting += named.ours
        found.obstore |= named.obstore
        found.operations |= named.operations
    return found.obstore, found.operations


@cache
def _code() -> Code:
    options = Options()
    options.export_types = options.preserve_asts = True
    options.incremental = False
    options.cache_dir = os.devnull  # mypy beside this one would have the other's locked
    options.namespace_packages = options.explicit_package_bases = True
    options.check_untyped_defs = options.ignore_errors = True
    options.python_executable = sys.executable
    options.mypy_path = [str(ROOT / room) for room in ("contract", "functions", "batch_worker")]
    options.follow_imports = "skip"  # what others are made of says nothing here
    options.per_module_options = {
        name: {"follow_imports": "silent"} for name in ("obstore.*", "obstore")
    }
    return Code(build(create_source_list([str(ROOT / room) for room in ROOMS], options), options))


@cache
def _operations() -> frozenset[str]:
    """Methods of boto3's clients, by which an operation is known where a client has no type."""
    session = botocore.session.get_session()
    models = (session.get_service_model(service) for service in SERVICES)
    return frozenset(xform_name(name) for model in models for name in model.operation_names)


class Code:
    """The code of the rooms, by the full names of its functions and classes."""

    def __init__(self, built: BuildResult) -> None:
        self.types = built.types
        self.defined: dict[str, SymbolNode] = {}
        self.classes: list[TypeInfo] = []
        for name, file in built.files.items():
            if not name.startswith(("obstore", "typing", "builtins")):
                self._note(file)

    def names_in(self, name: str) -> Names:
        node = self.defined.get(name)
        if node is None:
            return Names()
        if isinstance(node, TypeInfo):
            methods = (f"{base.fullname}.{by}" for base in node.mro for by in BY_ITSELF)
            return Names(ours={method for method in methods if method in self.defined})
        reader = _Reader(self)
        reader.read(node)
        return reader.found

    def implementations(self, protocol: TypeInfo) -> Iterator[TypeInfo]:
        """Classes that have all that a protocol asks for."""
        members = set(protocol.protocol_members)
        for other in self.classes:
            if not other.is_protocol and members <= {
                name for base in other.mro for name in base.names
            }:
                yield other

    def _note(self, file: MypyFile) -> None:
        for table in (file.names, *(info.names for info in _classes(file))):
            for symbol in table.values():
                node = symbol.node
                if isinstance(node, FuncDef | Decorator | OverloadedFuncDef | TypeInfo):
                    self.defined.setdefault(node.fullname, node)
        self.classes += _classes(file)


def _classes(file: MypyFile) -> list[TypeInfo]:
    found = (symbol.node for symbol in file.names.values())
    return [
        node for node in found if isinstance(node, TypeInfo) and node.module_name == file.fullname
    ]


class _Reader:
    """Notes what is named in a function, and in those inside it."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.found = Names()

    def read(self, node: Node) -> None:
        waiting, seen = [node], {id(node)}
        while waiting:
            node = waiting.pop()
            if isinstance(node, NameExpr):
                self._note(node.fullname)
            elif isinstance(node, MemberExpr):
                self._note_member(node)
            new = [child for child in _children(node) if id(child) not in seen]
            seen |= set(map(id, new))
            waiting += new

    def _note_member(self, member: MemberExpr) -> None:
        self._note(member.fullname)
        kind = self.code.types.get(member.expr)
        for owner in _owners(kind):
            for info in [owner, *(self.code.implementations(owner) if owner.is_protocol else ())]:
                if info.get(member.name):
                    self._note(f"{_owner_of(info, member.name)}.{member.name}")
        if member.name in _operations() and isinstance(get_proper_type(kind), AnyType | None):
            self.found.operations.add(member.name)

    def _note(self, name: str | None) -> None:
        if not name:
            return
        if name.startswith(OBSTORE):
            self.found.obstore.add(name.rpartition(".")[2])
        elif name in self.code.defined:
            self.found.ours.add(name)


def _children(node: Node) -> Iterator[Node]:
    """The parts of a piece of code; what its names stand for is no part of it."""
    for name in type(node).__mypyc_attrs__:  # type: ignore[attr-defined] # mypy is compiled
        if name not in ("node", "info", "type", "def", "definition", "analyzed", "original_def"):
            value = getattr(node, name, None)
            for one in _flat(value):
                if isinstance(one, Statement | Expression | FuncItem | Argument):
                    yield one


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _owners(kind: Type | None) -> Iterator[TypeInfo]:
    """The classes that a value may be of, or that it is itself."""
    proper = get_proper_type(kind)
    if isinstance(proper, Instance):
        yield proper.type
    elif isinstance(proper, UnionType):
        for item in proper.items:
            yield from _owners(item)
    elif isinstance(proper, TypeType):
        yield from _owners(proper.item)
    elif isinstance(proper, CallableType) and proper.is_type_obj():
        yield proper.type_object()


def _owner_of(info: TypeInfo, member: str) -> str:
    """The class that defines a member, of a class and those that it is made of."""
    return next((base.fullname for base in info.mro if member in base.names), info.fullname)

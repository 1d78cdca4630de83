"""Gridstride's C ABI for ctypes, read from gridstride.h: what the header says is what is called.

    gs = abi.load("libgridstride_cuda.so", "gridstride.h")
    gemm = gs.gs_gemm(m=64, n=64, k=64, lda=64, ldb=64, ldc=64, batch=1)   # types 0: GS_F32
    gs.gs_gemm_run(gemm, 1.0, a, b, 0.0, c, None, None, None, stream)   # raises gs.Error with the message
"""
import ctypes
import re
import sys

_SCALARS = {
    "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64, "float": ctypes.c_float, "double": ctypes.c_double,
    "char": ctypes.c_char, "gs_status": ctypes.c_int32,
}


class Error(Exception):
    """A call that was refused or failed, with the library's message."""


class Library:
    """Constants, structures and functions of the header as attributes."""


def _members(body, types, constants):
    fields = []
    for declaration in filter(str.strip, body.split(";")):
        kind, names = re.fullmatch(r"\s*(?:const\s+)?(\w+)\b(.*)", declaration, re.S).groups()
        for name in names.split(","):
            stars, name, length = re.fullmatch(r"\s*(\**)\s*(\w+)\s*(?:\[(\w+)\])?\s*", name).groups()
            element = ctypes.c_void_p if stars else types[kind]
            if length:
                element = element * (constants[length] if length in constants else int(length))
            fields.append((name, element))
    return fields


def _parameter(text, types):
    text = re.sub(r"\bconst\b", "", text).strip()
    if "*" in text:
        kind = re.match(r"\w+", text)[0]
        structure = types.get(kind)
        if isinstance(structure, type) and issubclass(structure, ctypes.Structure):
            return ctypes.POINTER(structure)
        return ctypes.c_void_p
    return types[re.match(r"\w+", text)[0]]


def load(library_path, header_path):
    with open(header_path, encoding="utf-8") as file:
        header = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    native = ctypes.CDLL(library_path)
    library, types, constants = Library(), dict(_SCALARS), {}
    for name, value in re.findall(r"#define (GS_\w+) (-?\d+)", header):
        constants[name] = int(value)
    for name in re.findall(r"typedef void\* (gs_\w+);", header):
        types[name] = ctypes.c_void_p
    for body in re.findall(r"\benum \{(.*?)\}", header, re.S):
        for name, value in re.findall(r"(GS_\w+)\s*=\s*(-?\w+)", body):
            constants[name] = int(value, 0)
    for name, body in re.findall(r"typedef struct (gs_\w+) \{(.*?)\} \w+;", header, re.S):
        types[name] = type(name, (ctypes.Structure,), {"_fields_": _members(body, types, constants)})
        setattr(library, name, types[name])
    for name, value in constants.items():
        setattr(library, name, value)
    native.gs_last_error.restype = ctypes.c_char_p
    for result, name, parameters in re.findall(r"GS_API ([\w ]+?\**)\s*(gs_\w+)\((.*?)\);", header, re.S):
        try:
            function = getattr(native, name)
        except AttributeError as missing:
            raise Error(f"{library_path} has no {name}: it was built from another gridstride.h") from missing
        inputs = [] if parameters.strip() == "void" else parameters.split(",")
        function.argtypes = [_parameter(p, types) for p in inputs]
        if result == "gs_status":
            function.restype = ctypes.c_int32
            setattr(library, name, _checked(function, name, native, constants["GS_OK"]))
        else:
            function.restype = ctypes.c_char_p if "char" in result else types[result]
            setattr(library, name, function)
    if library.gs_abi_version() != constants["GS_ABI_VERSION"]:
        raise Error(f"{library_path} has ABI version {library.gs_abi_version()}, "
                    f"{header_path} version {constants['GS_ABI_VERSION']}")
    library.Error = Error
    return library


def _checked(function, name, native, ok):
    by_reference = (ctypes.Structure, ctypes.c_int64)  # descriptions, and sizes that are asked for

    def call(*arguments):
        status = function(*(ctypes.byref(a) if isinstance(a, by_reference) else a for a in arguments))
        if status != ok:
            raise Error(f"{name}: {native.gs_last_error().decode()} (status {status})")
    return call


if __name__ == "__main__":  # python3 abi.py LIBRARY HEADER: does every function of the header bind?
    bound = load(*sys.argv[1:3])
    print(f"{sum(callable(value) for value in vars(bound).values())} structures and functions of {bound.gs_backend().decode()}")

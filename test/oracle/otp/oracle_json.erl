%% Writes a term as JSON: `{Pairs}` is an object, a list an array, `{text, String}` a string of ASCII.

-module(oracle_json).

-export([write/1]).

write({text, Text}) -> string(lists:flatten(Text));
write({Pairs}) -> ["{", lists:join(",", [[string(key(Key)), ":", write(Value)] || {Key, Value} <- Pairs]), "}"];
write(Values) when is_list(Values) -> ["[", lists:join(",", [write(Value) || Value <- Values]), "]"].

key(Atom) when is_atom(Atom) -> atom_to_list(Atom);
key(Text) -> Text.

string(Text) -> ["\"", [char(Char) || Char <- Text], "\""].

char($") -> "\\\"";
char($\\) -> "\\\\";
char(Char) when Char >= 32, Char < 127 -> Char;
char(Char) -> io_lib:format("\\u~4.16.0b", [Char]).

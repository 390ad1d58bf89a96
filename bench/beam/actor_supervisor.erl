%% A supervisor with the flags and children that it is started with.
-module(actor_supervisor).
-behaviour(supervisor).
-export([init/1]).

init({Flags, Children}) -> {ok, {Flags, Children}}.

%% The tree of a scenario: real supervisors, started as any application starts them.

-module(oracle_tree).
-behaviour(supervisor).

-export([start/4, child_spec/3, join/2, init/1]).

-include("oracle.hrl").

%% Runs in the parent. Dynamic children get their id when they are started, after the arguments of the template.
start(Env, #{type := Type} = Node, Parent, Id) ->
    Lane = parent_name(Env),
    Path = join(Parent, Id),
    oracle_worker:pause(Env),
    Args = {Env, Node, Path, atom_to_list(Id), Lane},
    Result =
        case {Type, registered_name(Env, Node)} of
            {worker, none} -> gen_server:start_link(oracle_worker, Args, []);
            {worker, Name} -> gen_server:start_link(Name, oracle_worker, Args, []);
            {supervisor, none} -> supervisor:start_link(?MODULE, Args);
            {supervisor, Name} -> supervisor:start_link(Name, ?MODULE, Args)
        end,
    case Result of
        {ok, Pid} -> oracle_log:started(Env, Pid, Type, Path);
        ignore -> oracle_log:ignored(Env, Path);
        % Its init did not run: there is no new instance to tell of.
        {error, {already_started, _}} -> ok;
        {error, Reason} -> oracle_log:failed(Env, Path, Reason)
    end,
    Result.

parent_name(Env) ->
    case get(oracle) of
        top -> "top";
        _ -> oracle_log:name(Env, self())
    end.

%% Scenarios run side by side: each has names of its own.
registered_name(#env{prefix = Prefix}, #{name := Name}) ->
    {local, list_to_atom(lists:flatten([Prefix, atom_to_list(Name)]))};
registered_name(_Env, _Node) ->
    none.

init({Env, Node, Path, Id, Lane}) ->
    oracle_log:enter(Env, supervisor, Path, Id, Lane),
    oracle_worker:pause(Env),
    #{children := Children} = Node,
    Strategy = maps:get(strategy, Node, one_for_one),
    Flags = #{
        strategy => Strategy,
        intensity => maps:get(intensity, Node, 1),
        period => maps:get(period, Node, 3600),
        auto_shutdown => maps:get(auto_shutdown, Node, never)
    },
    Specs =
        case Strategy of
            simple_one_for_one -> [template(Env, Child, Path) || Child <- Children];
            _ -> [child_spec(Env, Child, Path) || Child <- Children]
        end,
    {ok, {Flags, Specs}}.

child_spec(Env, #{id := Id} = Node, Parent) ->
    Template = #{start := {Module, Function, Args}} = template(Env, Node, Parent),
    Template#{start := {Module, Function, Args ++ [Id]}}.

template(Env, #{id := Id, type := Type} = Node, Parent) ->
    Options = maps:with([restart, shutdown, significant], Node),
    Options#{id => Id, type => Type, start => {?MODULE, start, [Env, Node, Parent]}}.

join("", Id) -> atom_to_list(Id);
join(Parent, Id) -> Parent ++ "/" ++ atom_to_list(Id).

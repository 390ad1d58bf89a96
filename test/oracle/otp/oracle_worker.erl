%% The gen_server at every leaf of a tree. It does what the driver asks of it, and tells what becomes of it.

-module(oracle_worker).
-behaviour(gen_server).

-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).
-export([pause/1]).

-include("oracle.hrl").

-record(state, {env, node, monitors = #{}}).

-define(SLOW_MS, 8).
%% Longer than any shutdown time that is meant to run out, shorter than any that is not.
-define(HANG_MS, 700).
-define(PAUSE_MAX_MS, 3).

init({Env, Node, Path, Id, Lane}) ->
    #instance{attempt = Attempt} = oracle_log:enter(Env, worker, Path, Id, Lane),
    process_flag(trap_exit, maps:get(trap, Node, false)),
    pause(Env),
    case outcome(Attempt, maps:get(plan, Node, [])) of
        ok -> {ok, #state{env = Env, node = Node}};
        error -> {stop, start_error};
        shut -> {stop, {shutdown, nope}};
        crash -> error(init_crash);
        ignore -> ignore;
        hold ->
            oracle_log:hold(Env),
            {stop, start_error}
    end.

outcome(Attempt, Plan) when Attempt =< length(Plan) -> lists:nth(Attempt, Plan);
outcome(_Attempt, _Plan) -> ok.

handle_call(Request, _From, #state{env = Env} = State) ->
    pause(Env),
    case Request of
        ping -> {reply, {text, ["pong ", oracle_log:name(Env, self())]}, State};
        {stop, Reason} -> {stop, Reason, State};
        {stop_reply, Reason} -> {stop, Reason, {text, "stopping"}, State};
        {crash, Reason} -> error(Reason)
    end.

handle_cast(Request, #state{env = Env, monitors = Monitors} = State) ->
    pause(Env),
    case Request of
        {stop, Reason} ->
            {stop, Reason, State};
        {crash, Reason} ->
            error(Reason);
        {raise_exit, Reason} ->
            exit(Reason);
        {exit_self, Reason} ->
            exit(self(), Reason),
            {noreply, State};
        {buddy, Reason} ->
            oracle_log:helper(Env, spawn_link(fun() -> exit(Reason) end)),
            {noreply, State};
        {link, Pid} ->
            link(Pid),
            {noreply, State};
        {unlink, Pid} ->
            unlink(Pid),
            {noreply, State};
        {monitor, Pid} ->
            {noreply, State#state{monitors = Monitors#{Pid => monitor(process, Pid)}}};
        {demonitor, Pid} ->
            [demonitor(Ref, [flush]) || {ok, Ref} <- [maps:find(Pid, Monitors)]],
            {noreply, State#state{monitors = maps:remove(Pid, Monitors)}};
        link_dead ->
            link(dead_pid()),
            {noreply, State};
        monitor_dead ->
            monitor(process, dead_pid()),
            {noreply, State}
    end.

handle_info(Message, #state{env = Env} = State) ->
    pause(Env),
    case Message of
        {'EXIT', From, Reason} -> oracle_log:mail(Env, "EXIT", From, Reason);
        {'DOWN', _Ref, process, From, Reason} -> oracle_log:mail(Env, "DOWN", From, Reason)
    end,
    {noreply, State}.

terminate(Reason, #state{env = Env, node = Node}) ->
    oracle_log:terminating(Env, Reason),
    pause(Env),
    case maps:get(term, Node, quick) of
        quick -> ok;
        slow -> timer:sleep(?SLOW_MS);
        hang -> timer:sleep(?HANG_MS);
        exit -> exit(weird);
        crash -> error(term_crash)
    end.

%% A process that is certainly gone.
dead_pid() ->
    {Pid, Ref} = spawn_monitor(fun() -> ok end),
    receive
        {'DOWN', Ref, process, Pid, _} -> Pid
    end.

%% A delay that nobody can foresee; none without jitter.
pause(#env{jitter = 0}) -> ok;
pause(#env{}) -> timer:sleep(rand:uniform(?PAUSE_MAX_MS + 1) - 1).

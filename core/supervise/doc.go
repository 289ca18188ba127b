// Package supervise keeps a plugin running: it launches the plugin, restarts it after a crash or a
// hang, and replaces it by a new program without a failed call. Callers dispense once, and their
// [Handle] survives restarts.
//
//	s, err := supervise.Start(ctx, supervise.Config{Launch: host.Config{…}})
//	…
//	defer s.Close()
//	greeters, err := supervise.Dispense(ctx, s, greeter.Plugin)
//	…
//	greeting, err := supervise.Call(ctx, greeters, func(ctx context.Context, g greeter.Greeter) (string, error) {
//		return g.Greet(ctx, "Ada")
//	})
//
// A client of a plugin belongs to one process. A handle therefore gives a function the client of the
// process in service: [Handle.Do], [Call] for a result, [Seq] for a sequence. The function's extent
// is the call. It is counted, so a replaced process finishes its calls first. If the process is
// lost, the call fails with the reason, or is repeated if the handle is [Handle.Idempotent].
//
// A restarted plugin has lost its state. [Config.Prepare] configures each new process before its
// first call.
//
// A [Supervisor] has one plugin and shares nothing with others. [StartAll] starts several at a
// time.
package supervise

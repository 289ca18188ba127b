package host

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/diagnose"
)

// A stopwatch measures the stages of a launch.
type stopwatch struct {
	stage Stage
	since time.Time
	ended [len(stages)]bool
	took  [len(stages)]time.Duration
}

// stages are in their order.
var stages = [...]Stage{StageConfigure, StageVerify, StageStart, StageHandshake, StageNegotiate, StageConnect}

// enter begins a stage, and ends the one before.
func (s *stopwatch) enter(stage Stage) {
	s.stop()
	s.stage = stage
}

// stop ends the stage, and does not leave it: it is the one in which a launch fails.
func (s *stopwatch) stop() {
	now := time.Now()
	if i := slices.Index(stages[:], s.stage); i >= 0 {
		s.took[i] += now.Sub(s.since)
		s.ended[i] = true
	}
	s.since = now
}

// attr returns the durations of the stages, without those that a launch had no need of.
func (s *stopwatch) attr() slog.Attr {
	var members []any
	for i, took := range s.took {
		if s.ended[i] {
			members = append(members, slog.Duration(string(stages[i]), took.Round(time.Microsecond)))
		}
	}
	return slog.Group("took", members...)
}

// loggerOf returns the logger of a plugin's records. The path tells plugins of one name apart.
func loggerOf(cfg Config, isChild bool) *slog.Logger {
	logger := cfg.Logger.With("plugin", cfg.Name)
	if path := programPath(cfg.Command, isChild); path != "" {
		logger = logger.With("plugin_path", path)
	}
	return logger
}

// programPath returns the absolute path of a command's program; "" without one. A runner of the
// caller's own decides itself on the meaning of a bare name.
func programPath(cmd Cmd, isChild bool) string {
	path := diagnose.InDir(cmd.Dir, cmd.Path)
	if path == "" || filepath.Base(cmd.Path) == cmd.Path {
		path = cmd.Path
		found, err := exec.LookPath(path)
		if !isChild || err != nil {
			return path
		}
		path = found
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

// record logs the launch, or the attaching.
func (l *launch) record(ctx context.Context, info Info, tls *core.TLS) {
	logger := l.process.logger
	if !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	if l.sockets.foreign {
		logger.LogAttrs(ctx, slog.LevelDebug, "the host has attached to the plugin", l.facts(info, tls)...)
		return
	}
	logger.LogAttrs(ctx, slog.LevelDebug, "the plugin was launched", l.facts(info, tls)...)
}

// recordFailure logs the error of a launch and its hint, for an application that shows only the
// former.
func (l *launch) recordFailure(ctx context.Context, err error) {
	if logger := loggerOf(l.cfg, !l.ownRunner); logger.Enabled(ctx, slog.LevelDebug) {
		logger.LogAttrs(ctx, slog.LevelDebug, "the launch failed",
			slog.Any("error", err), slog.String("hint", core.Hint(err)), l.clock.attr())
	}
}

// facts returns the attributes of the launch's record, beside those of every record.
func (l *launch) facts(info Info, tls *core.TLS) []slog.Attr {
	attrs := append([]slog.Attr{slog.String("process", l.process.runner.ID())}, info.attrs()...)
	if l.cfg.Require != "" {
		attrs = append(attrs, slog.String("require", l.cfg.Require))
	}
	return append(attrs, slog.String("tls", l.protection(tls)), l.clock.attr())
}

// protection returns the connection's security for a record: "mutual" is AutoMTLS, "configured"
// that of Config.TLS.
func (l *launch) protection(tls *core.TLS) string {
	switch {
	case tls == nil:
		return "none"
	case l.identity == nil:
		return "configured"
	}
	return "mutual"
}

// The causes of an end that the host asked for.
const (
	causeAsked        = "asked to leave"
	causeTerminated   = "sent SIGTERM"
	causeKilled       = "killed"
	causeFailedLaunch = "the launch failed"
	causeDetached     = "detached"
)

// report logs the end: an unexpected one is an error.
func (p *process) report(ctx context.Context, cause string) {
	asked := cause != ""
	if !asked {
		cause = "by itself"
	}
	attrs := []slog.Attr{
		slog.String("process", p.runner.ID()),
		slog.String("status", p.exit.String()),
		slog.String("cause", cause),
		slog.Duration("lived", p.lived.Round(time.Millisecond)),
	}
	if asked {
		p.logger.LogAttrs(ctx, slog.LevelDebug, "the plugin has ended", attrs...)
	} else {
		p.logger.LogAttrs(ctx, slog.LevelError, "the plugin has ended unexpectedly", attrs...)
	}
}

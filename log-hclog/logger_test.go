package loghclog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

func TestLoggerWritesArguments(t *testing.T) {
	var nobody *netip.Addr
	tests := []struct {
		name string
		args []any
		want string
	}{
		{"none", nil, ``},
		{"pairs", []any{"a", 1, "b", "x"}, ` a=1 b=x`},
		{"a value without a key", []any{"a", 1, "b"}, ` a=1 EXTRA_VALUE_AT_END=b`},
		{"a key of another type", []any{17, "x", errors.New("e"), "y"}, ` 17=x e=y`},
		{"Fmt", []any{"k", hclog.Fmt("%d-%s", 1, "b")}, ` k=1-b`},
		{"an empty Fmt", []any{"k", hclog.Format{}}, ` k=""`},
		{"a Fmt without a layout", []any{"k", hclog.Format{1, 2}}, ` k="1 2"`},
		{"numbers in other bases", []any{"h", hclog.Hex(255), "o", hclog.Octal(8), "b", hclog.Binary(5)}, ` h=0xff o=010 b=0b101`},
		{"Quote", []any{"k", hclog.Quote("a\nb")}, ` k="a\nb"`},
		{"an error", []any{"k", io.EOF}, ` k=EOF`},
		{"a Stringer", []any{"k", hclog.Warn}, ` k=warn`},
		{"a nil Stringer", []any{"k", fmt.Stringer(nobody)}, ` k=<nil>`},
		{"slog's own kinds", []any{"d", time.Second, "t", true, "n", nil}, ` d=1s t=true n=<nil>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			loghclog.NewLogger(textHandler(&out), loghclog.LoggerOptions{}).Info("m", tt.args...)
			if got, want := out.String(), "level=INFO msg=m"+tt.want+"\n"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// textHandler writes all levels as text, without the time.
func textHandler(out io.Writer) slog.Handler {
	return slog.NewTextHandler(out, &slog.HandlerOptions{Level: loghclog.LevelTrace, ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attr
	}})
}

func TestLoggerKeepsAStacktrace(t *testing.T) {
	var out bytes.Buffer
	loghclog.NewLogger(slogJSON(&out), loghclog.LoggerOptions{}).Error("m", "a", 1, hclog.Stacktrace())
	got := members(t, &out)[0]
	if trace, _ := got["stacktrace"].(string); !strings.Contains(trace, "TestLoggerKeepsAStacktrace") || got["a"] != 1.0 {
		t.Errorf("got %v", got)
	}
}

func TestLoggerWritesEveryLevel(t *testing.T) {
	var out bytes.Buffer
	log := loghclog.NewLogger(textHandler(&out), loghclog.LoggerOptions{})
	log.Trace("a")
	log.Debug("b")
	log.Info("c")
	log.Warn("d")
	log.Error("e")
	log.Log(hclog.Warn, "f")
	log.Log(hclog.NoLevel, "g")
	log.Log(hclog.Off, "never")
	const want = "level=DEBUG-4 msg=a\nlevel=DEBUG msg=b\nlevel=INFO msg=c\nlevel=WARN msg=d\nlevel=ERROR msg=e\nlevel=WARN msg=f\nlevel=INFO msg=g\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestLoggerKeepsNamesAndArguments(t *testing.T) {
	var out bytes.Buffer
	log := loghclog.NewLogger(textHandler(&out), loghclog.LoggerOptions{Name: "app"})
	server := log.With("b", 1, "a", 2).Named("server").With("b", 3, "odd")
	server.Info("m")
	server.ResetNamed("other").Info("m")
	server.ResetNamed("").Info("m")
	log.Info("m")
	const want = "level=INFO msg=m @module=app.server b=3 a=2 EXTRA_VALUE_AT_END=odd\n" +
		"level=INFO msg=m @module=other b=3 a=2 EXTRA_VALUE_AT_END=odd\n" +
		"level=INFO msg=m b=3 a=2 EXTRA_VALUE_AT_END=odd\n" +
		"level=INFO msg=m @module=app\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if got := server.Name(); got != "app.server" {
		t.Errorf("name is %q", got)
	}
	if got := fmt.Sprint(server.ImpliedArgs()...); got != fmt.Sprint("b", 3, "a", 2, hclog.MissingKey, "odd") {
		t.Errorf("implied arguments are %s", got)
	}
}

func TestLoggersShareTheirLevel(t *testing.T) {
	log := loghclog.NewLogger(textHandler(io.Discard), loghclog.LoggerOptions{Level: hclog.Warn})
	child := log.Named("child").With("a", 1)
	if log.IsInfo() || !log.IsWarn() || child.GetLevel() != hclog.Warn {
		t.Errorf("level is %v and %v, want warn", log.GetLevel(), child.GetLevel())
	}
	child.SetLevel(hclog.Debug)
	if log.IsTrace() || !log.IsDebug() || log.GetLevel() != hclog.Debug {
		t.Errorf("level is %v, want debug", log.GetLevel())
	}
	log.SetLevel(hclog.Off)
	if log.IsError() || child.GetLevel() != hclog.Off {
		t.Errorf("level is %v, want off", child.GetLevel())
	}
	log.SetLevel(hclog.NoLevel)
	if log.GetLevel() != hclog.Trace {
		t.Errorf("level is %v, want the handler's level", log.GetLevel())
	}
}

func TestLoggersCanHaveLevelsOfTheirOwn(t *testing.T) {
	log := loghclog.NewLogger(textHandler(io.Discard), loghclog.LoggerOptions{Level: hclog.Warn, IndependentLevels: true})
	child := log.Named("child")
	child.SetLevel(hclog.Debug)
	if log.GetLevel() != hclog.Warn || child.GetLevel() != hclog.Debug {
		t.Errorf("levels are %v and %v, want warn and debug", log.GetLevel(), child.GetLevel())
	}
}

func TestLoggerAsksTheHandlerToo(t *testing.T) {
	handler := slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: slog.LevelWarn})
	log := loghclog.NewLogger(handler, loghclog.LoggerOptions{Level: hclog.Trace})
	if log.IsInfo() || log.GetLevel() != hclog.Warn {
		t.Errorf("level is %v, want the handler's level", log.GetLevel())
	}
}

func TestLoggerWithoutAHandlerWritesToSlogsDefault(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slogJSON(&out)))
	loghclog.NewLogger(nil, loghclog.LoggerOptions{Name: "web"}).Warn("m")
	want := []map[string]any{{"level": "WARN", "msg": "m", "@module": "web"}}
	if got := members(t, &out); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	silent := loghclog.NewLogger(slog.DiscardHandler, loghclog.LoggerOptions{})
	if silent.IsError() || silent.GetLevel() != hclog.Off {
		t.Errorf("the level with slog.DiscardHandler is %v, want off", silent.GetLevel())
	}
}

func TestLoggerKeepsThePlaceOfTheCall(t *testing.T) {
	var out bytes.Buffer
	log := loghclog.NewLogger(slog.NewJSONHandler(&out, &slog.HandlerOptions{AddSource: true}), loghclog.LoggerOptions{})
	_, _, line, _ := runtime.Caller(0)
	log.Info("a")
	log.Log(hclog.Warn, "b")
	log.StandardLogger(nil).Print("c")   //nolint:forbidigo // package log is the subject
	log.StandardLogger(nil).Println("d") //nolint:forbidigo // package log is the subject
	_, _ = io.WriteString(log.StandardWriter(nil), "e")
	for i, m := range members(t, &out) {
		source, _ := m["source"].(map[string]any)
		file, _ := source["file"].(string)
		if filepath.Base(file) == "io.go" && i == 4 {
			continue // io.WriteString called the writer
		}
		if filepath.Base(file) != "logger_test.go" || source["line"] != float64(line+1+i) {
			t.Errorf("%s is at %v:%v, want line %d of this file", m["msg"], file, source["line"], line+1+i)
		}
	}
}

func TestStandardLoggerReadsLevels(t *testing.T) {
	tests := []struct {
		name string
		opts *hclog.StandardLoggerOptions
		in   string
		want string
	}{
		{"no options", nil, "[WARN] a", `level=INFO msg="[WARN] a"`},
		{"levels", &hclog.StandardLoggerOptions{InferLevels: true}, "[WARN] a", `level=WARN msg=a`},
		{"trace", &hclog.StandardLoggerOptions{InferLevels: true}, "[TRACE] a", `level=DEBUG-4 msg=a`},
		{"the short error", &hclog.StandardLoggerOptions{InferLevels: true}, "[ERR]a \n", `level=ERROR msg=a`},
		{"none", &hclog.StandardLoggerOptions{InferLevels: true}, "a]", `level=INFO msg=a]`},
		{"unknown", &hclog.StandardLoggerOptions{InferLevels: true}, "[X] a", `level=INFO msg="[X] a"`},
		{"a timestamp", &hclog.StandardLoggerOptions{InferLevels: true, InferLevelsWithTimestamp: true}, "2024/05/06 07:08:09 [DEBUG] a", `level=DEBUG msg=a`},
		{"an unexpected timestamp", &hclog.StandardLoggerOptions{InferLevels: true}, "2024/05/06 [DEBUG] a", `level=INFO msg="2024/05/06 [DEBUG] a"`},
		{"one for all", &hclog.StandardLoggerOptions{InferLevels: true, ForceLevel: hclog.Error}, "[DEBUG] a", `level=ERROR msg=a`},
		{"empty", &hclog.StandardLoggerOptions{InferLevels: true}, "", `level=INFO msg=""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			loghclog.NewLogger(textHandler(&out), loghclog.LoggerOptions{}).StandardLogger(tt.opts).Print(tt.in) //nolint:forbidigo // package log is the subject
			if got := strings.TrimSuffix(out.String(), "\n"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestLoggerIsSafeForConcurrentUse(t *testing.T) {
	log := loghclog.NewLogger(slog.NewTextHandler(new(bytes.Buffer), nil), loghclog.LoggerOptions{})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 100 {
				log.Named("n").With("i", i).Info("m")
				log.SetLevel(hclog.Warn)
				log.GetLevel()
			}
		})
	}
	group.Wait()
}

package logline

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestPumpReadsPlainLines(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"prose", "error: a=b", "info error: a=b"},
		{"prose with a level inside", "an ERROR: x", "info an ERROR: x"},
		{"a word in capitals", "ERRORS: x", "info ERRORS: x"},
		{"a level without a separator", "WARN x", "info WARN x"},
		{"a level and a colon", "FATAL: x", "error x | plugin_level=FATAL"},
		{"a level and an offset", "2024/05/06 07:08:09 INFO+2 x", "info x | plugin_time=2024/05/06 07:08:09"},
		{"an offset too large", "2024/05/06 07:08:09 INFO+99999 x", "info INFO+99999 x | plugin_time=2024/05/06 07:08:09"},
		{"a number in brackets", "[10] x", "info [10] x"},
		{"a level in brackets and other words", "[FATAL] a", "error a | plugin_level=FATAL"},
		{"small letters after a time", "2024/05/06 07:08:09 [error] 1#1: x", "error 1#1: x | plugin_time=2024/05/06 07:08:09"},
		{"small letters in a message", "2024/05/06 07:08:09 error x", "info error x | plugin_time=2024/05/06 07:08:09"},
		{"a date in a message", "[WARN] 2024-05-06T07:08:09Z is late", "warn 2024-05-06T07:08:09Z is late"},
		{"a date far away", "2024-05-06T07:08:09Z is late", "info is late | plugin_time=2024-05-06T07:08:09Z"},
		{"a date that is none", "2024/02/31 07:08:09 x", "info 2024/02/31 07:08:09 x"},
		{"a date without a blank", "2024/05/06 07:08:09x", "info 2024/05/06 07:08:09x"},
		{"a time of day in prose", "07:08:09 is early", "info 07:08:09 is early"},
		{"a file of another kind", "x.c:12: y", "info x.c:12: y"},
		{"a compiler's position", "x.go:12:5: y", "info x.go:12:5: y"},
		{"a name with a blank", "WARNING:a b:c", "info WARNING:a b:c"},
		{"no name", "WARNING:a", "info WARNING:a"},
		{"pairs without a colon", "[INFO] set a=b", "info set a=b"},
		{"pairs and text", "[INFO] x: a=b then c", "info x: a=b then c"},
		{"pairs in slog's default log", "2024/05/06 07:08:09 WARN x a=b then c=\"d e\"", "warn x a=b then | plugin_time=2024/05/06 07:08:09 | c=d e"},
		{"a pair alone", "a=b", "info a=b"},
		{"pairs without a level", "a=b msg=c", "info a=b msg=c"},
		{"pairs without a message", "level=warn a=b", "warn level=warn a=b"},
		{"pairs cut off", `level=warn msg="x`, `warn level=warn msg="x`},
		{"pairs with an unknown level", "level=high msg=x", "info level=high msg=x"},
		{"a bad escape", `level=warn msg="\q"`, `warn level=warn msg="\q"`},
		{"a blank before a value's key", `level=warn msg="a\n\"\x41" "k\"" =1`, `warn level=warn msg="a\n\"\x41" "k\"" =1`},
		{"quoted keys", `level=warn msg="a\t\"\x41" "k\""=1`, "warn a\t\"A | k\"=1"},
		{"bytes that are not UTF-8", "level=warn msg=\"\xff\" a=\xff", "warn \xff | a=\xff"},
		{"an indented line", "[WARN] a\n\tb\nc\n  d", "warn a\nwarn \tb\ninfo c\ninfo   d"},
		{"objects with an unknown level", `{"level":"high","msg":"x"}`, `info {"level":"high","msg":"x"}`},
		{"objects with a number of nobody's", `{"level":55,"msg":"x"}`, `info {"level":55,"msg":"x"}`},
		{"objects without a message", `{"level":"warn","a":1}`, `warn {"level":"warn","a":1}`},
		{"objects with a level behind hclog's", `{"level":"warn","msg":"x","@level":"error"}`, "error  | plugin_level=warn | plugin_msg=x"},
		{"objects with a time that is none", `{"level":"warn","msg":"x","time":"late"}`, "warn x | plugin_time=late"},
		{"objects with a message that is none", `{"level":"warn","msg":[1]}`, "warn [1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			equalLines(t, pumped(t, tt.in, Config{}), strings.Split(tt.want, "\n"))
		})
	}
}

func TestPumpLogsUnnamedLinesAtALevelOfChoice(t *testing.T) {
	const text = "a\n{\"b\":1}\n[INFO] c\n{\"@level\":\"info\",\"@message\":\"d\"}\n e"
	equalLines(t, pumped(t, text, Config{PlainLevel: slog.LevelDebug}),
		[]string{"debug a", `debug {"b":1}`, "info c", "info d", "info  e"})
}

func TestPumpSplitsLongLinesOfOtherLoggersAtTheirLevel(t *testing.T) {
	for _, line := range []string{
		`{"@level":"error","@message":"long"}`, `{"level":"error","msg":"long and longer"}`,
		"level=ERROR msg=long,and,much,longer", "2024/05/06 07:08:09 ERROR long",
	} {
		var whole string
		for _, record := range pumped(t, line, Config{MaxLine: 28}) {
			text, ok := strings.CutPrefix(record, "error ")
			if !ok {
				t.Errorf("%s: piece %q has another level", line, record)
			}
			text, _, _ = strings.Cut(text, " | piece=")
			whole += text
		}
		if whole != line {
			t.Errorf("the pieces are %q, want %q", whole, line)
		}
	}
}

func TestStampWithoutAZoneIsTheZoneNearNow(t *testing.T) {
	now := time.Date(2024, 5, 6, 9, 8, 10, 0, time.FixedZone("east", 2*60*60))
	for text, want := range map[string]time.Time{
		"2024/05/06 07:08:09.5":    now.Add(-time.Second / 2),
		"2024-05-06 09:08:09,500":  now.Add(-time.Second / 2),
		"2024-05-06T07:08:09.500Z": now.Add(-time.Second / 2),
		"2024/05/06 08:08:09":      {},
		"2024-05-05T07:08:10+0000": now.AddDate(0, 0, -1),
	} {
		stamp := readStamp([]byte(text))
		if at, ok := stamp.time(now); stamp.size != len(text) || ok != !want.IsZero() || ok && !at.Equal(want) {
			t.Errorf("%s is %v (%t, %d bytes), want %v", text, at, ok, stamp.size, want)
		}
	}
}

func TestEpochTimeTellsTheUnitByTheSize(t *testing.T) {
	want := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, number := range []string{"1714979289", "1714979289000", "1714979289000000", "1714979289000000000", "1714979289.0", "1.714979289e9"} {
		if at, ok := epochTime(number); !ok || !at.Equal(want) {
			t.Errorf("%s is %v, want %v", number, at.UTC(), want)
		}
	}
	for _, number := range []string{"-1", "1e300", "-1.5"} {
		if at, ok := epochTime(number); ok {
			t.Errorf("%s is %v, want none", number, at)
		}
	}
}

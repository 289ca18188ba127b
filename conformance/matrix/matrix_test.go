package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

func TestMatrixOfHostsAndPlugins(t *testing.T) {
	found := make(map[string]map[string]string) // row → column → result
	for _, c := range cells() {
		if found[c.row()] == nil {
			found[c.row()] = make(map[string]string)
		}
		t.Run(c.name(), func(t *testing.T) {
			defer func() {
				switch {
				case t.Failed():
					found[c.row()][c.column()] = "FAILED"
				case t.Skipped():
					found[c.row()][c.column()] = "skipped"
				}
			}()
			found[c.row()][c.column()] = c.run(t)
		})
	}
	t.Log(matrix(found))
}

// run runs the host to its end, and returns its entry for the matrix.
func (c cell) run(t *testing.T) string {
	t.Helper()
	why, impossible := c.refusal()
	if c.cannotAsk() {
		return why.mark
	}
	c.Command = c.pluginCommand(t)
	c.Farewell = filepath.Join(t.TempDir(), "farewell")
	temporary := peers.ShortDir(t)
	played := c.start(t, temporary)
	defer func() {
		if t.Failed() {
			t.Log(peers.Tail(played.Log, 100))
		}
	}()
	if c.Host != theirs || c.Plugin != theirs { // go-plugin leaves files of its own
		peers.ExpectEmpty(t, temporary)
	}
	if impossible {
		if says := why.says[c.Host]; !strings.Contains(played.LaunchError, says) {
			t.Errorf("launch: %q, expected %q", played.LaunchError, says)
		}
		return why.mark
	}
	if played.LaunchError != "" {
		t.Fatalf("launch: %s", played.LaunchError)
	}
	return c.judge(t, played)
}

// judge evaluates the steps of a launched plugin.
func (c cell) judge(t *testing.T, played outcome) string {
	t.Helper()
	letters, killed := "", false
	for _, step := range c.steps() {
		text := played.Steps[step.letter]
		if killed = text != "" && step.letter == endLetter && c.mayBeKilled() && strings.Contains(text, "Killed:true"); killed {
			letters += killedMark
			continue
		}
		if text != "" {
			t.Errorf("%s: %s", step.name, text)
		}
		letters += step.letter
	}
	if isGo(c.Plugin) && !killed {
		peers.ExpectFarewell(t, c.Farewell, true)
	}
	return letters
}

// start runs the host's process and reads its report.
func (c cell) start(t *testing.T, temporary string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience+patience/2) // the host's own timeout is shorter
	defer cancel()
	var stderr bytes.Buffer
	program := c.hostCommand(t)
	command := exec.CommandContext(ctx, program[0], program[1:]...)
	command.Stderr = &stderr
	var err error
	if command.Env, err = c.environment(temporary); err != nil {
		t.Fatal(err)
	}
	text, err := command.Output()
	var played outcome
	if err != nil || json.Unmarshal(text, &played) != nil {
		t.Fatalf("host: %v, it says %q\n%s", err, text, stderr.String())
	}
	return played
}

// matrix formats the results.
func matrix(found map[string]map[string]string) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := ""
	fmt.Fprintln(table)
	for _, c := range cells() {
		if row == "" {
			fmt.Fprint(table, "\t", strings.Join(columns(), "\t"))
		}
		if c.row() != row {
			row = c.row()
			fmt.Fprint(table, "\n", row)
		}
		entry := found[c.row()][c.column()]
		if entry == "" {
			entry = "not run"
		}
		fmt.Fprint(table, "\t", entry)
	}
	fmt.Fprint(table, "\n\n")
	_ = table.Flush()
	for _, step := range languageSteps() {
		fmt.Fprintf(&text, "%s    %s\n", step.letter, step.name)
	}
	for _, transport := range []string{netRPC, multiplexed} {
		why := refusals()[transport]
		fmt.Fprintf(&text, "%s  refused at the launch: %s\n", why.mark, why.reason)
	}
	fmt.Fprintf(&text, "%s  %s\n", killedMark, killedReason)
	return text.String()
}

// columns returns the columns of the first row.
func columns() []string {
	var names []string
	for _, c := range cells() {
		if c.row() == cells()[0].row() {
			names = append(names, c.column())
		}
	}
	return names
}

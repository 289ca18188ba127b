package notely_test

import (
	"context"
	"errors"
	"iter"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/plugintest"

	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

// endless lists forever, or until its error.
type endless struct {
	notelytest.Memory

	err error
}

func (e *endless) List(context.Context) iter.Seq2[notely.Item, error] {
	return func(yield func(notely.Item, error) bool) {
		for more := true; more; {
			more = yield(notely.Item{Text: "again"}, e.err) && e.err == nil
		}
	}
}

func TestVersionsCarryTheInterface(t *testing.T) {
	plugintest.NoLeaks(t)
	for _, version := range notely.Versions.Numbers() {
		notelytest.Check(t, notelytest.Open(t, &notelytest.Memory{}, version))
		for _, err := range notelytest.Open(t, &endless{}, version).List(t.Context()) {
			if err != nil {
				t.Errorf("version %d: %v", version, err)
			}
			break // ends the stream
		}
		full := &endless{err: errors.New("the disk is full")}
		for _, err := range notelytest.Open(t, full, version).List(t.Context()) {
			if err == nil || !strings.Contains(err.Error(), full.err.Error()) {
				t.Errorf("version %d: got %v", version, err)
			}
		}
	}
}

// A plugin's build downloads the modules of its packages.
func TestPluginNeedsNoModulesOfTheApplication(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".", "./notelytest")
	modules, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"spf13/cobra", "schollz/progressbar", "fatih/color", "jackfield/discovery"} {
		if strings.Contains(string(modules), module) {
			t.Errorf("plugins need %s", module)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	client := notelytest.Open(b, &notelytest.Memory{})
	for name, approve := range map[string]notely.Approve{
		"plain":    nil,
		"approved": func(context.Context, string) error { return nil },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := client.Add(b.Context(), "text", approve); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fatih/color"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/jackfield-go/jackfield/discovery"
)

// print prints JSON for programs, or for people a table, whose first row is its
// head. Only last columns have colours, since tables count their bytes.
func (c *cli) print(value any, rows []string) error {
	if c.json {
		encoder := json.NewEncoder(c.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	if len(rows) == 1 {
		return nil
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(rows, "\n"))
	return table.Flush()
}

func (c *cli) printItems(items []discovery.Item) error {
	rows := []string{"NAME\tVERSION\tPLATFORM\tSHA-256\tSTATE"}
	for _, item := range items {
		paint := color.RedString
		if item.State == discovery.StateOK {
			paint = color.GreenString
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%.12s\t%s", item.Name,
			cmp.Or(item.Version.String(), "-"), item.Platform, item.Sum, paint("%s", item.State)))
	}
	return c.print(map[string]any{"plugins": append([]discovery.Item{}, items...)}, rows)
}

func (c *cli) printFound(found *discovery.Found) error {
	rows := []string{"NAME\tVERSION\tORIGIN\tPATH"}
	for _, p := range found.Plugins {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s", p.Name, cmp.Or(p.Version.String(), "-"), p.Origin, p.Path))
	}
	for _, problem := range found.Problems {
		fmt.Fprintln(c.stderr, color.YellowString("not used: %v", problem))
	}
	return c.print(found, rows)
}

func (c *cli) printDescription(plugin *discovery.Resolved) error {
	d := plugin.Description
	rows := []string{"name\t" + d.Name, "version\t" + cmp.Or(d.Version.String(), "-"), "path\t" + plugin.Path}
	for _, p := range d.Protocols {
		rows = append(rows, fmt.Sprintf("protocol %d\t%s", p.Version, strings.Join(p.Transports, ", ")))
	}
	return c.print(plugin, rows)
}

// progress returns functions that draw a bar, on a terminal and for what takes
// longer than a moment, and that remove it.
func progress(w io.Writer) (show func(discovery.Progress), end func()) {
	file, ok := w.(*os.File)
	drawn := ok && term.IsTerminal(int(file.Fd()))
	begin, stage, bar := time.Now(), "", (*progressbar.ProgressBar)(nil)
	end = func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
	show = func(p discovery.Progress) {
		if !drawn || time.Since(begin) < 500*time.Millisecond {
			return
		}
		if stage != p.Stage {
			end()
			stage, bar = p.Stage, progressbar.NewOptions64(p.Total, progressbar.OptionSetWriter(w),
				progressbar.OptionSetDescription(p.Stage), progressbar.OptionShowBytes(true),
				progressbar.OptionThrottle(100*time.Millisecond))
		}
		_ = bar.Set64(p.Done)
	}
	return show, end
}

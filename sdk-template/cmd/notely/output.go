package main

import (
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

	"github.com/jackfield-go/jackfield/discovery/store"
)

// print prints a list: as JSON under a key, or as a table of the given columns, which are
// JSON keys. A coloured state must be the last column, because tables count bytes.
func (c *cli) print(key string, list any, columns ...string) error {
	encoder := json.NewEncoder(c.stdout)
	encoder.SetIndent("", "  ")
	if c.json {
		return encoder.Encode(map[string]any{key: list})
	}
	var rows []map[string]any
	if data, err := json.Marshal(list); err != nil {
		return err
	} else if err := json.Unmarshal(data, &rows); err != nil || len(rows) == 0 {
		return err
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.ToUpper(strings.Join(columns, "\t")))
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, column := range columns {
			switch value, ok := row[column]; {
			case !ok:
				cells[i] = "-"
			case column == "sha256":
				cells[i] = fmt.Sprintf("%.12s", value)
			case value == string(store.StateOK):
				cells[i] = color.GreenString("%v", value)
			case column == "state":
				cells[i] = color.RedString("%v", value)
			default:
				cells[i] = fmt.Sprint(value)
			}
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// progress returns functions to draw and to remove a progress bar, on a terminal alone.
func progress(w io.Writer) (show func(store.Progress), end func()) {
	file, ok := w.(*os.File)
	drawn := ok && term.IsTerminal(int(file.Fd()))
	begin, stage, bar := time.Now(), "", progressbar.DefaultSilent(0)
	end = func() { _ = bar.Clear() }
	show = func(p store.Progress) {
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

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"

	"github.com/jackfield-go/jackfield/discovery"
	notely "github.com/jackfield-go/jackfield/sdk-template"
)

// Each print function writes a table for people, or with --json an object for
// programs. Colours are in last columns only, since tables count their bytes.

func (a *app) printItems(w io.Writer, items []notely.Item) error {
	if a.json {
		return printJSON(w, map[string]any{"items": items})
	}
	rows := make([]string, len(items))
	for i, item := range items {
		rows[i] = item.ID + "\t" + item.Text
	}
	return printTable(w, "ID\tTEXT", rows)
}

// stateRemoved is how an item is after its removal.
const stateRemoved discovery.State = "removed"

func (a *app) printInstalled(w io.Writer, items []discovery.Item) error {
	type row struct {
		discovery.Item

		Error string `json:"error,omitempty"`
	}
	list := make([]row, len(items))
	rows := make([]string, len(items))
	for i, item := range items {
		list[i].Item = item
		state := color.GreenString(string(item.State))
		if item.State != discovery.StateOK && item.State != stateRemoved {
			state = color.RedString(string(item.State))
		}
		if item.Err != nil {
			list[i].Error = item.Err.Error()
			state += ": " + list[i].Error
		}
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%.12s\t%s", cmp.Or(item.Name, "-"),
			cmp.Or(item.Version.String(), "-"), cmp.Or(item.Platform.String(), "-"), cmp.Or(item.Sum.String(), "-"), state)
	}
	if a.json {
		return printJSON(w, map[string]any{"plugins": list})
	}
	return printTable(w, "NAME\tVERSION\tPLATFORM\tSHA-256\tSTATE", rows)
}

// printFound prints the plugins whose names contain text.
func (a *app) printFound(w io.Writer, found *discovery.Found, text string) error {
	matching := discovery.Found{Plugins: []discovery.Plugin{}, Problems: found.Problems}
	var rows []string
	for _, plugin := range found.Plugins {
		if strings.Contains(plugin.Name, text) {
			matching.Plugins = append(matching.Plugins, plugin)
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s", plugin.Name, cmp.Or(plugin.Version.String(), "-"), plugin.Origin, plugin.Path))
		}
	}
	if a.json {
		return printJSON(w, matching)
	}
	if err := printTable(w, "NAME\tVERSION\tORIGIN\tPATH", rows); err != nil {
		return err
	}
	for _, problem := range found.Problems {
		fmt.Fprintln(w, color.YellowString("not used: %v", problem))
	}
	return nil
}

func (a *app) printDescription(w io.Writer, path string, d *discovery.Description) error {
	if a.json {
		return printJSON(w, d)
	}
	rows := []string{"version\t" + cmp.Or(d.Version.String(), "-"), "path\t" + path}
	for _, protocol := range d.Protocols {
		rows = append(rows, fmt.Sprintf("protocol %d\t%s: %s", protocol.Version,
			strings.Join(protocol.Transports, ", "), strings.Join(protocol.Services, ", ")))
	}
	return printTable(w, "name\t"+d.Name, rows)
}

func printTable(w io.Writer, head string, rows []string) error {
	if len(rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, head)
	for _, row := range rows {
		fmt.Fprintln(table, row)
	}
	return table.Flush()
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

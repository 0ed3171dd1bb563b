/** Apache ECharts with the parts that the page uses, in the page's colours. */

import { BarChart, HeatmapChart, LineChart, PieChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { init, use, type ComposeOption, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { BarSeriesOption, HeatmapSeriesOption, LineSeriesOption, PieSeriesOption } from "echarts/charts";
import type {
  DataZoomComponentOption, GridComponentOption, LegendComponentOption, TooltipComponentOption, VisualMapComponentOption,
} from "echarts/components";

export type { EChartsType } from "echarts/core";

export type ChartOption = ComposeOption<
  | BarSeriesOption | HeatmapSeriesOption | LineSeriesOption | PieSeriesOption | DataZoomComponentOption
  | GridComponentOption | LegendComponentOption | TooltipComponentOption | VisualMapComponentOption
>;

use([
  BarChart, HeatmapChart, LineChart, PieChart, DataZoomComponent, GridComponent, LegendComponent, TooltipComponent,
  VisualMapComponent, CanvasRenderer,
]);

const LIGHT = ["#14489c", "#c8102e", "#1b8a5a", "#c77700", "#6b4fa0", "#0f7f95", "#8c564b", "#5b6778"];
const DARK = ["#6ea0f2", "#ff7b86", "#5fd19a", "#f0b95c", "#b79cf0", "#5cc8dd", "#d8a598", "#a8b3c5"];

export function makeChart(box: HTMLElement, dark: boolean, option: ChartOption): EChartsType {
  const chart = init(
    box,
    {
      color: dark ? DARK : LIGHT,
      backgroundColor: "transparent",
      textStyle: { color: dark ? "#d5dbe6" : "#3a4555", fontFamily: getComputedStyle(box).fontFamily },
      categoryAxis: axis(dark),
      valueAxis: axis(dark),
      legend: { textStyle: { color: dark ? "#d5dbe6" : "#3a4555" } },
    },
    { renderer: "canvas" },
  );
  chart.setOption(drawn(option));
  return chart;
}

/**
 * The option with what all charts have. Tooltips are drawn, too: as HTML they would bring inline styles,
 * which the policy of the page forbids.
 */
export function drawn(option: ChartOption): ChartOption {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const tooltip = Array.isArray(option.tooltip) ? {} : option.tooltip;
  return { animation: !still, ...option, tooltip: { confine: true, ...tooltip, renderMode: "richText" } };
}

function axis(dark: boolean): object {
  const line = { lineStyle: { color: dark ? "#3c4657" : "#d5dbe6" } };
  return { axisLine: line, splitLine: line, axisLabel: { color: dark ? "#a8b3c5" : "#566275" } };
}

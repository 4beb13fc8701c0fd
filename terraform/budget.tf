# A month's spending, told at half, nine tenths and all of the budget, and when all of it is forecast. It stops nothing: an
# event not delivered costs more than a dollar.
resource "google_billing_budget" "month" {
  for_each = toset(var.billing_account == null ? [] : [var.billing_account])

  billing_account = each.key
  display_name    = "Meta Ads ${var.environment}"

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(var.budget_dollars)
    }
  }

  dynamic "threshold_rules" {
    for_each = [
      { part = 0.5, basis = "CURRENT_SPEND" },
      { part = 0.9, basis = "CURRENT_SPEND" },
      { part = 1, basis = "CURRENT_SPEND" },
      { part = 1, basis = "FORECASTED_SPEND" },
    ]

    content {
      threshold_percent = threshold_rules.value.part
      spend_basis       = threshold_rules.value.basis
    }
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.mail.id]
  }

  depends_on = [google_project_service.api]
}

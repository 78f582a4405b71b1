-- Own queries in the shapes of TPC-DS, over schema `tpcds` of schema.sql: windows, rollups, grouping sets,
-- set operations, common table expressions, laterals, correlated subqueries. All run on PostgreSQL 13 to 18.

-- name: returns above the store average
WITH ctr AS (
    SELECT sr_customer_sk AS customer, sr_store_sk AS store, sum(sr_return_amt) AS total
    FROM tpcds.store_returns, tpcds.date_dim WHERE sr_returned_date_sk = d_date_sk AND d_year = 1999
    GROUP BY sr_customer_sk, sr_store_sk)
SELECT c_customer_id FROM ctr c1, tpcds.store, tpcds.customer
WHERE c1.total > (SELECT avg(total) * 1.2 FROM ctr c2 WHERE c1.store = c2.store)
  AND s_store_sk = c1.store AND s_state = 'TX' AND c1.customer = c_customer_sk
ORDER BY c_customer_id LIMIT 100

-- name: week over week by day name
WITH wscs AS (
    SELECT ws_sold_date_sk AS sold, ws_ext_sales_price AS price FROM tpcds.web_sales
    UNION ALL SELECT cs_sold_date_sk, cs_ext_sales_price FROM tpcds.catalog_sales),
wk AS (
    SELECT d_week_seq, sum(CASE WHEN d_day_name = 'Sunday' THEN price END) AS sun, sum(CASE WHEN d_day_name = 'Monday' THEN price END) AS mon
    FROM wscs, tpcds.date_dim WHERE d_date_sk = sold GROUP BY d_week_seq)
SELECT y.d_week_seq, round(y.sun / nullif(z.sun, 0), 2) AS sunday, round(y.mon / nullif(z.mon, 0), 2) AS monday
FROM wk y JOIN wk z ON y.d_week_seq = z.d_week_seq - 53 ORDER BY 1

-- name: brands of a manager in november
SELECT dt.d_year, item.i_brand_id, item.i_brand, sum(ss_ext_sales_price) AS ext_price
FROM tpcds.date_dim dt, tpcds.store_sales, tpcds.item
WHERE dt.d_date_sk = ss_sold_date_sk AND ss_item_sk = item.i_item_sk AND item.i_manager_id = 1 AND dt.d_moy = 11
GROUP BY dt.d_year, item.i_brand, item.i_brand_id ORDER BY dt.d_year, ext_price DESC, i_brand_id LIMIT 100

-- name: year totals by channel, self-joined
WITH year_total AS (
    SELECT c_customer_id, d_year AS dyear, sum(ss_net_paid) AS total, 's' AS channel
    FROM tpcds.customer, tpcds.store_sales, tpcds.date_dim WHERE c_customer_sk = ss_customer_sk AND ss_sold_date_sk = d_date_sk GROUP BY 1, 2
    UNION ALL
    SELECT c_customer_id, d_year, sum(ws_net_paid), 'w'
    FROM tpcds.customer, tpcds.web_sales, tpcds.date_dim WHERE c_customer_sk = ws_bill_customer_sk AND ws_sold_date_sk = d_date_sk GROUP BY 1, 2)
SELECT s2.c_customer_id FROM year_total s1, year_total s2, year_total w1, year_total w2
WHERE s2.c_customer_id = s1.c_customer_id AND s1.c_customer_id = w1.c_customer_id AND s1.c_customer_id = w2.c_customer_id
  AND s1.channel = 's' AND w1.channel = 'w' AND s2.channel = 's' AND w2.channel = 'w'
  AND s1.dyear = 1998 AND s2.dyear = 1999 AND w1.dyear = 1998 AND w2.dyear = 1999 AND s1.total > 0 AND w1.total > 0
  AND w2.total / w1.total > s2.total / s1.total
ORDER BY 1 LIMIT 100

-- name: sales, returns and profit rolled up by channel
WITH ssr AS (
    SELECT s_store_id, sum(sales_price) AS sales, sum(profit) AS profit, sum(return_amt) AS returns
    FROM (SELECT ss_store_sk AS store_sk, ss_sold_date_sk AS date_sk, ss_ext_sales_price AS sales_price, ss_net_profit AS profit, CAST(0 AS numeric(7,2)) AS return_amt FROM tpcds.store_sales
          UNION ALL SELECT sr_store_sk, sr_returned_date_sk, CAST(0 AS numeric(7,2)), CAST(0 AS numeric(7,2)), sr_return_amt FROM tpcds.store_returns) salesreturns,
         tpcds.date_dim, tpcds.store
    WHERE date_sk = d_date_sk AND d_date BETWEEN CAST('1998-08-04' AS date) AND (CAST('1998-08-04' AS date) + interval '140 days') AND store_sk = s_store_sk
    GROUP BY s_store_id)
SELECT channel, id, sum(sales) AS sales, sum(returns) AS returns, sum(profit) AS profit
FROM (SELECT 'store channel' AS channel, 'store' || s_store_id AS id, sales, returns, profit FROM ssr
      UNION ALL SELECT 'web channel', 'web', ws_ext_sales_price, 0, ws_net_profit FROM tpcds.web_sales) AS x
GROUP BY ROLLUP (channel, id) ORDER BY channel, id LIMIT 100

-- name: states with expensive items
SELECT a.ca_state AS state, count(*) AS cnt
FROM tpcds.customer_address a, tpcds.customer c, tpcds.store_sales s, tpcds.date_dim d, tpcds.item i
WHERE a.ca_address_sk = c.c_current_addr_sk AND c.c_customer_sk = s.ss_customer_sk AND s.ss_sold_date_sk = d.d_date_sk AND s.ss_item_sk = i.i_item_sk
  AND d.d_month_seq = (SELECT DISTINCT d_month_seq FROM tpcds.date_dim WHERE d_year = 1999 AND d_moy = 1)
  AND i.i_current_price > 1.2 * (SELECT avg(j.i_current_price) FROM tpcds.item j WHERE j.i_category = i.i_category)
GROUP BY a.ca_state HAVING count(*) >= 1 ORDER BY cnt, a.ca_state LIMIT 100

-- name: averages for a demographic
SELECT i_item_id, avg(ss_quantity) AS agg1, avg(ss_list_price) AS agg2, avg(ss_coupon_amt) AS agg3, avg(ss_sales_price) AS agg4
FROM tpcds.store_sales, tpcds.customer_demographics, tpcds.date_dim, tpcds.item, tpcds.promotion
WHERE ss_sold_date_sk = d_date_sk AND ss_item_sk = i_item_sk AND ss_cdemo_sk = cd_demo_sk AND ss_promo_sk = p_promo_sk AND cd_gender = 'M'
  AND cd_marital_status = 'S' AND cd_education_status = 'College' AND (p_channel_email = 'N' OR p_channel_event = 'N') AND d_year = 1998
GROUP BY i_item_id ORDER BY i_item_id LIMIT 100

-- name: intersection of zip codes
SELECT s_store_name, sum(ss_net_profit)
FROM tpcds.store_sales, tpcds.date_dim, tpcds.store,
     (SELECT ca_zip FROM (SELECT substr(ca_zip, 1, 5) AS ca_zip FROM tpcds.customer_address WHERE substr(ca_zip, 1, 5) IN ('88801', '88802', '88880')
                          INTERSECT
                          SELECT ca_zip FROM (SELECT substr(ca_zip, 1, 5) AS ca_zip, count(*) AS cnt FROM tpcds.customer_address, tpcds.customer
                                              WHERE ca_address_sk = c_current_addr_sk AND c_preferred_cust_flag = 'Y' GROUP BY ca_zip HAVING count(*) > 0) a1) a2) v1
WHERE ss_store_sk = s_store_sk AND ss_sold_date_sk = d_date_sk AND d_qoy = 2 AND d_year = 1998 AND substr(v1.ca_zip, 1, 2) = '88'
GROUP BY s_store_name ORDER BY s_store_name LIMIT 100

-- name: buckets from scalar subqueries
SELECT CASE WHEN (SELECT count(*) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 1 AND 20) > 100
            THEN (SELECT avg(ss_ext_discount_amt) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 1 AND 20)
            ELSE (SELECT avg(ss_net_paid) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 1 AND 20) END AS bucket1,
       CASE WHEN (SELECT count(*) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 21 AND 40) > 100
            THEN (SELECT avg(ss_ext_discount_amt) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 21 AND 40)
            ELSE (SELECT avg(ss_net_paid) FROM tpcds.store_sales WHERE ss_quantity BETWEEN 21 AND 40) END AS bucket2
FROM tpcds.store WHERE s_store_sk = 1

-- name: customers active in several channels
SELECT cd_gender, cd_marital_status, cd_education_status, count(*) AS cnt1
FROM tpcds.customer c, tpcds.customer_address ca, tpcds.customer_demographics
WHERE c.c_current_addr_sk = ca.ca_address_sk AND ca_county IN ('County 1', 'County 2') AND cd_demo_sk = c.c_current_cdemo_sk
  AND EXISTS (SELECT * FROM tpcds.store_sales, tpcds.date_dim WHERE c.c_customer_sk = ss_customer_sk AND ss_sold_date_sk = d_date_sk AND d_year = 1999 AND d_moy BETWEEN 1 AND 4)
  AND (EXISTS (SELECT * FROM tpcds.web_sales, tpcds.date_dim WHERE c.c_customer_sk = ws_bill_customer_sk AND ws_sold_date_sk = d_date_sk AND d_year = 1999)
       OR EXISTS (SELECT * FROM tpcds.catalog_sales, tpcds.date_dim WHERE c.c_customer_sk = cs_bill_customer_sk AND cs_sold_date_sk = d_date_sk AND d_year = 1999))
GROUP BY cd_gender, cd_marital_status, cd_education_status ORDER BY 1, 2, 3 LIMIT 100

-- name: revenue ratio by class, a window over an aggregate
SELECT i_item_id, i_item_desc, i_category, i_class, i_current_price, sum(ws_ext_sales_price) AS itemrevenue,
       sum(ws_ext_sales_price) * 100 / sum(sum(ws_ext_sales_price)) OVER (PARTITION BY i_class) AS revenueratio
FROM tpcds.web_sales, tpcds.item, tpcds.date_dim
WHERE ws_item_sk = i_item_sk AND i_category IN ('Books', 'Home') AND ws_sold_date_sk = d_date_sk AND d_date BETWEEN CAST('1999-02-22' AS date) AND (CAST('1999-02-22' AS date) + 30)
GROUP BY i_item_id, i_item_desc, i_category, i_class, i_current_price ORDER BY i_category, i_class, i_item_id, i_item_desc, revenueratio

-- name: items sold in all channels, with grouping sets
WITH cross_items AS (
    SELECT i_item_sk AS ss_item_sk FROM tpcds.item,
         (SELECT iss.i_brand_id AS brand_id, iss.i_class AS class FROM tpcds.store_sales, tpcds.item iss WHERE ss_item_sk = iss.i_item_sk
          INTERSECT SELECT ics.i_brand_id, ics.i_class FROM tpcds.catalog_sales, tpcds.item ics WHERE cs_item_sk = ics.i_item_sk
          INTERSECT SELECT iws.i_brand_id, iws.i_class FROM tpcds.web_sales, tpcds.item iws WHERE ws_item_sk = iws.i_item_sk) x
    WHERE i_brand_id = brand_id AND i_class = class),
avg_sales AS (SELECT avg(quantity * list_price) AS average_sales FROM (SELECT ss_quantity AS quantity, ss_list_price AS list_price FROM tpcds.store_sales UNION ALL SELECT cs_quantity, cs_sales_price FROM tpcds.catalog_sales) y)
SELECT channel, i_brand_id, i_class, sum(sales) AS sales, sum(number_sales) AS n
FROM (SELECT 'store' AS channel, i_brand_id, i_class, sum(ss_quantity * ss_list_price) AS sales, count(*) AS number_sales
      FROM tpcds.store_sales, tpcds.item WHERE ss_item_sk IN (SELECT ss_item_sk FROM cross_items) AND ss_item_sk = i_item_sk GROUP BY i_brand_id, i_class
      HAVING sum(ss_quantity * ss_list_price) > (SELECT average_sales FROM avg_sales)) z
GROUP BY GROUPING SETS ((channel, i_brand_id, i_class), (channel), ()) ORDER BY channel NULLS LAST, i_brand_id, i_class

-- name: orders from one warehouse only
SELECT count(DISTINCT ws_order_number) AS orders, sum(ws_ext_ship_cost) AS shipping, sum(ws_net_profit) AS profit
FROM tpcds.web_sales ws1, tpcds.date_dim
WHERE d_date BETWEEN '1999-01-01' AND (CAST('1999-01-01' AS date) + 600) AND ws1.ws_ship_date_sk = d_date_sk
  AND EXISTS (SELECT * FROM tpcds.web_sales ws2 WHERE ws1.ws_order_number = ws2.ws_order_number AND ws1.ws_warehouse_sk <> ws2.ws_warehouse_sk)
  AND NOT EXISTS (SELECT * FROM tpcds.web_returns wr WHERE ws1.ws_order_number = wr.wr_order_number)
ORDER BY count(DISTINCT ws_order_number) LIMIT 100

-- name: quantity statistics with deviation
SELECT i_item_id, s_state, count(ss_quantity) AS n, avg(ss_quantity) AS mean, stddev_samp(ss_quantity) AS dev, stddev_samp(ss_quantity) / nullif(avg(ss_quantity), 0) AS cov
FROM tpcds.store_sales JOIN tpcds.store ON s_store_sk = ss_store_sk JOIN tpcds.item ON i_item_sk = ss_item_sk JOIN tpcds.date_dim ON d_date_sk = ss_sold_date_sk
WHERE d_qoy BETWEEN 1 AND 3 GROUP BY i_item_id, s_state ORDER BY 1, 2 LIMIT 100

-- name: rollup over geography with casts
SELECT i_item_id, ca_country, ca_state, ca_county, avg(CAST(cs_quantity AS numeric(12,2))) AS agg1, avg(CAST(c_birth_year AS numeric(12,2))) AS agg6
FROM tpcds.catalog_sales, tpcds.customer, tpcds.customer_address, tpcds.item
WHERE cs_bill_customer_sk = c_customer_sk AND c_current_addr_sk = ca_address_sk AND cs_item_sk = i_item_sk
GROUP BY ROLLUP (i_item_id, ca_country, ca_state, ca_county) ORDER BY ca_country, ca_state, ca_county, i_item_id LIMIT 100

-- name: inventory before and after a price change
SELECT * FROM (
    SELECT w_warehouse_name, i_item_id,
           sum(CASE WHEN d_date < CAST('1998-03-11' AS date) THEN inv_quantity_on_hand ELSE 0 END) AS before,
           sum(CASE WHEN d_date >= CAST('1998-03-11' AS date) THEN inv_quantity_on_hand ELSE 0 END) AS after
    FROM tpcds.inventory, tpcds.warehouse, tpcds.item, tpcds.date_dim
    WHERE i_item_sk = inv_item_sk AND inv_warehouse_sk = w_warehouse_sk AND inv_date_sk = d_date_sk GROUP BY w_warehouse_name, i_item_id) x
WHERE CASE WHEN before > 0 THEN after / before ELSE NULL END BETWEEN 0 AND 10 ORDER BY w_warehouse_name, i_item_id LIMIT 100

-- name: inventory rolled up with an alias list
SELECT b.brand, b.class, b.qoh FROM (
    SELECT i_brand, i_class, avg(inv_quantity_on_hand) FROM tpcds.inventory, tpcds.item WHERE inv_item_sk = i_item_sk GROUP BY ROLLUP (i_brand, i_class)) AS b (brand, class, qoh)
ORDER BY qoh, brand, class LIMIT 100

-- name: frequent items and best customers
WITH frequent_ss_items AS (
    SELECT substr(i_item_desc, 1, 30) AS itemdesc, i_item_sk AS item_sk, d_date AS solddate, count(*) AS cnt
    FROM tpcds.store_sales, tpcds.date_dim, tpcds.item WHERE ss_sold_date_sk = d_date_sk AND ss_item_sk = i_item_sk AND d_year IN (1998, 1999, 2000, 2001) GROUP BY 1, 2, 3 HAVING count(*) >= 1),
max_store_sales AS (SELECT max(csales) AS tpcds_cmax FROM (SELECT c_customer_sk, sum(ss_quantity * ss_sales_price) AS csales FROM tpcds.store_sales, tpcds.customer WHERE ss_customer_sk = c_customer_sk GROUP BY c_customer_sk) x),
best AS (SELECT c_customer_sk, sum(ss_quantity * ss_sales_price) AS ssales FROM tpcds.store_sales, tpcds.customer WHERE ss_customer_sk = c_customer_sk GROUP BY c_customer_sk
         HAVING sum(ss_quantity * ss_sales_price) > (50 / 100.0) * (SELECT * FROM max_store_sales))
SELECT sum(sales) FROM (
    SELECT cs_quantity * cs_sales_price AS sales FROM tpcds.catalog_sales WHERE cs_item_sk IN (SELECT item_sk FROM frequent_ss_items) AND cs_bill_customer_sk IN (SELECT c_customer_sk FROM best)
    UNION ALL SELECT ws_quantity * ws_sales_price FROM tpcds.web_sales WHERE ws_item_sk IN (SELECT item_sk FROM frequent_ss_items) AND ws_bill_customer_sk IN (SELECT c_customer_sk FROM best)) y LIMIT 100

-- name: store sales then returned then bought by mail
SELECT i_item_id, s_store_id, s_store_name, sum(ss_net_profit) AS a, sum(sr_net_loss) AS b, sum(cs_net_profit) AS c
FROM tpcds.store_sales, tpcds.store_returns, tpcds.catalog_sales, tpcds.date_dim d1, tpcds.date_dim d2, tpcds.store, tpcds.item
WHERE d1.d_date_sk = ss_sold_date_sk AND i_item_sk = ss_item_sk AND s_store_sk = ss_store_sk AND ss_customer_sk = sr_customer_sk AND ss_item_sk = sr_item_sk
  AND ss_ticket_number = sr_ticket_number AND sr_returned_date_sk = d2.d_date_sk AND sr_customer_sk = cs_bill_customer_sk AND sr_item_sk = cs_item_sk
GROUP BY i_item_id, s_store_id, s_store_name ORDER BY 1, 2, 3 LIMIT 100

-- name: grouping function over a rollup of states
SELECT i_item_id, s_state, GROUPING(s_state) AS g_state, avg(ss_quantity) AS agg1
FROM tpcds.store_sales, tpcds.date_dim, tpcds.store, tpcds.item
WHERE ss_sold_date_sk = d_date_sk AND ss_item_sk = i_item_sk AND ss_store_sk = s_store_sk AND s_state IN ('TX', 'OH') AND d_year = 2000
GROUP BY ROLLUP (i_item_id, s_state) ORDER BY i_item_id, s_state LIMIT 100

-- name: six price bands in one row
SELECT * FROM (SELECT avg(ss_list_price) AS b1_lp, count(ss_list_price) AS b1_cnt, count(DISTINCT ss_list_price) AS b1_cntd FROM tpcds.store_sales WHERE ss_quantity BETWEEN 0 AND 5) b1,
              (SELECT avg(ss_list_price) AS b2_lp, count(ss_list_price) AS b2_cnt, count(DISTINCT ss_list_price) AS b2_cntd FROM tpcds.store_sales WHERE ss_quantity BETWEEN 6 AND 10) b2,
              (SELECT avg(ss_list_price) AS b3_lp, count(ss_list_price) AS b3_cnt, count(DISTINCT ss_list_price) AS b3_cntd FROM tpcds.store_sales WHERE ss_quantity BETWEEN 11 AND 15) b3
LIMIT 100

-- name: county growth in two channels
WITH ss AS (SELECT ca_county, d_qoy, d_year, sum(ss_ext_sales_price) AS store_sales FROM tpcds.store_sales, tpcds.date_dim, tpcds.customer_address WHERE ss_sold_date_sk = d_date_sk AND ss_addr_sk = ca_address_sk GROUP BY ca_county, d_qoy, d_year),
     ws AS (SELECT ca_county, d_qoy, d_year, sum(ws_ext_sales_price) AS web_sales FROM tpcds.web_sales, tpcds.date_dim, tpcds.customer_address WHERE ws_sold_date_sk = d_date_sk AND ws_bill_addr_sk = ca_address_sk GROUP BY ca_county, d_qoy, d_year)
SELECT ss1.ca_county, ss1.d_year, ws2.web_sales / nullif(ws1.web_sales, 0) AS web_growth, ss2.store_sales / nullif(ss1.store_sales, 0) AS store_growth
FROM ss ss1, ss ss2, ws ws1, ws ws2
WHERE ss1.d_qoy = 1 AND ss1.d_year = 2000 AND ss1.ca_county = ss2.ca_county AND ss2.d_qoy = 2 AND ss2.d_year = 2000 AND ss2.ca_county = ws1.ca_county
  AND ws1.d_qoy = 1 AND ws1.d_year = 2000 AND ws1.ca_county = ws2.ca_county AND ws2.d_qoy = 2 AND ws2.d_year = 2000 ORDER BY ss1.ca_county

-- name: excess discount
SELECT sum(cs_ext_discount_amt) AS excess FROM tpcds.catalog_sales, tpcds.item, tpcds.date_dim
WHERE i_manufact_id = 7 AND i_item_sk = cs_item_sk AND d_date BETWEEN '1998-01-01' AND (CAST('1998-01-01' AS date) + interval '900 days') AND d_date_sk = cs_sold_date_sk
  AND cs_ext_discount_amt > (SELECT 1.3 * avg(cs_ext_discount_amt) FROM tpcds.catalog_sales, tpcds.date_dim WHERE cs_item_sk = i_item_sk AND d_date_sk = cs_sold_date_sk) LIMIT 100

-- name: rank within parent of a rollup
SELECT sum(ss_net_profit) / sum(ss_ext_sales_price) AS margin, i_category, i_class, GROUPING(i_category) + GROUPING(i_class) AS lochierarchy,
       rank() OVER (PARTITION BY GROUPING(i_category) + GROUPING(i_class), CASE WHEN GROUPING(i_class) = 0 THEN i_category END ORDER BY sum(ss_net_profit) / sum(ss_ext_sales_price) ASC) AS rank_within_parent
FROM tpcds.store_sales, tpcds.date_dim, tpcds.item, tpcds.store
WHERE d_year = 2001 AND d_date_sk = ss_sold_date_sk AND i_item_sk = ss_item_sk AND s_store_sk = ss_store_sk AND s_state = 'OH'
GROUP BY ROLLUP (i_category, i_class) ORDER BY lochierarchy DESC, CASE WHEN GROUPING(i_category) + GROUPING(i_class) = 0 THEN i_category END, rank_within_parent LIMIT 100

-- name: customers in all three channels
SELECT count(*) FROM (
    SELECT DISTINCT c_last_name, c_first_name, d_date FROM tpcds.store_sales, tpcds.date_dim, tpcds.customer WHERE ss_sold_date_sk = d_date_sk AND ss_customer_sk = c_customer_sk
    INTERSECT SELECT DISTINCT c_last_name, c_first_name, d_date FROM tpcds.catalog_sales, tpcds.date_dim, tpcds.customer WHERE cs_sold_date_sk = d_date_sk AND cs_bill_customer_sk = c_customer_sk
    INTERSECT SELECT DISTINCT c_last_name, c_first_name, d_date FROM tpcds.web_sales, tpcds.date_dim, tpcds.customer WHERE ws_sold_date_sk = d_date_sk AND ws_bill_customer_sk = c_customer_sk) hot_cust

-- name: customers of the store but not of the web
SELECT count(*) FROM (
    (SELECT DISTINCT c_last_name, c_first_name, d_date FROM tpcds.store_sales, tpcds.date_dim, tpcds.customer WHERE ss_sold_date_sk = d_date_sk AND ss_customer_sk = c_customer_sk)
    EXCEPT (SELECT DISTINCT c_last_name, c_first_name, d_date FROM tpcds.catalog_sales, tpcds.date_dim, tpcds.customer WHERE cs_sold_date_sk = d_date_sk AND cs_bill_customer_sk = c_customer_sk)
    EXCEPT (SELECT DISTINCT c_last_name, c_first_name, d_date FROM tpcds.web_sales, tpcds.date_dim, tpcds.customer WHERE ws_sold_date_sk = d_date_sk AND ws_bill_customer_sk = c_customer_sk)) cool_cust

-- name: best and worst items by rank, joined by position
SELECT asceding.rnk, i1.i_item_id AS best, i2.i_item_id AS worst
FROM (SELECT * FROM (SELECT item_sk, rank() OVER (ORDER BY rank_col ASC) AS rnk FROM (SELECT ss_item_sk AS item_sk, avg(ss_net_profit) AS rank_col FROM tpcds.store_sales WHERE ss_store_sk = 4 GROUP BY ss_item_sk) v1) v11 WHERE rnk < 11) asceding,
     (SELECT * FROM (SELECT item_sk, rank() OVER (ORDER BY rank_col DESC) AS rnk FROM (SELECT ss_item_sk AS item_sk, avg(ss_net_profit) AS rank_col FROM tpcds.store_sales WHERE ss_store_sk = 4 GROUP BY ss_item_sk) v2) v21 WHERE rnk < 11) descending,
     tpcds.item i1, tpcds.item i2
WHERE asceding.rnk = descending.rnk AND i1.i_item_sk = asceding.item_sk AND i2.i_item_sk = descending.item_sk ORDER BY asceding.rnk LIMIT 100

-- name: months against their neighbours by lag and lead
WITH v1 AS (
    SELECT i_category, i_brand, s_store_name, d_year, d_moy, sum(ss_sales_price) AS sum_sales,
           avg(sum(ss_sales_price)) OVER (PARTITION BY i_category, i_brand, s_store_name, d_year) AS avg_monthly_sales,
           rank() OVER (PARTITION BY i_category, i_brand, s_store_name ORDER BY d_year, d_moy) AS rn
    FROM tpcds.item, tpcds.store_sales, tpcds.date_dim, tpcds.store
    WHERE ss_item_sk = i_item_sk AND ss_sold_date_sk = d_date_sk AND ss_store_sk = s_store_sk GROUP BY i_category, i_brand, s_store_name, d_year, d_moy),
v2 AS (SELECT v1.*, lag(sum_sales) OVER w AS psum, lead(sum_sales) OVER w AS nsum FROM v1 WINDOW w AS (PARTITION BY i_category, i_brand, s_store_name ORDER BY rn))
SELECT * FROM v2 WHERE d_year = 1999 AND avg_monthly_sales > 0 AND CASE WHEN avg_monthly_sales > 0 THEN abs(sum_sales - avg_monthly_sales) / avg_monthly_sales END > 0.1
ORDER BY sum_sales - avg_monthly_sales, 3 LIMIT 100

-- name: return ratio ranks
SELECT item, return_ratio, return_rank FROM (
    SELECT item, return_ratio, rank() OVER (ORDER BY return_ratio) AS return_rank
    FROM (SELECT ws.ws_item_sk AS item, CAST(sum(coalesce(wr.wr_return_amt, 0)) AS numeric(15,4)) / CAST(sum(coalesce(ws.ws_net_paid, 0)) + 1 AS numeric(15,4)) AS return_ratio
          FROM tpcds.web_sales ws LEFT OUTER JOIN tpcds.web_returns wr ON ws.ws_order_number = wr.wr_order_number AND ws.ws_item_sk = wr.wr_item_sk GROUP BY ws.ws_item_sk) in_web) web
WHERE return_rank <= 10 ORDER BY 3, 1

-- name: days from sale to return
SELECT s_store_name,
       sum(CASE WHEN sr_returned_date_sk - ss_sold_date_sk <= 30 THEN 1 ELSE 0 END) AS "30 days",
       sum(CASE WHEN sr_returned_date_sk - ss_sold_date_sk > 30 AND sr_returned_date_sk - ss_sold_date_sk <= 60 THEN 1 ELSE 0 END) AS "31-60 days",
       sum(CASE WHEN sr_returned_date_sk - ss_sold_date_sk > 60 THEN 1 ELSE 0 END) AS "over 60 days"
FROM tpcds.store_sales, tpcds.store_returns, tpcds.store
WHERE ss_ticket_number = sr_ticket_number AND ss_item_sk = sr_item_sk AND ss_customer_sk = sr_customer_sk AND ss_store_sk = s_store_sk
GROUP BY s_store_name ORDER BY s_store_name LIMIT 100

-- name: running totals in two channels, full join
WITH web_v1 AS (SELECT ws_item_sk AS item_sk, d_date, sum(sum(ws_sales_price)) OVER (PARTITION BY ws_item_sk ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cume_sales FROM tpcds.web_sales, tpcds.date_dim WHERE ws_sold_date_sk = d_date_sk GROUP BY ws_item_sk, d_date),
store_v1 AS (SELECT ss_item_sk AS item_sk, d_date, sum(sum(ss_sales_price)) OVER (PARTITION BY ss_item_sk ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cume_sales FROM tpcds.store_sales, tpcds.date_dim WHERE ss_sold_date_sk = d_date_sk GROUP BY ss_item_sk, d_date)
SELECT * FROM (SELECT item_sk, d_date, web_sales, store_sales, max(web_sales) OVER (PARTITION BY item_sk ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS web_cumulative, max(store_sales) OVER (PARTITION BY item_sk ORDER BY d_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS store_cumulative
    FROM (SELECT CASE WHEN web.item_sk IS NOT NULL THEN web.item_sk ELSE store.item_sk END AS item_sk, CASE WHEN web.d_date IS NOT NULL THEN web.d_date ELSE store.d_date END AS d_date, web.cume_sales AS web_sales, store.cume_sales AS store_sales
          FROM web_v1 web FULL OUTER JOIN store_v1 store ON (web.item_sk = store.item_sk AND web.d_date = store.d_date)) x) y
WHERE web_cumulative > store_cumulative ORDER BY item_sk, d_date LIMIT 100

-- name: top of each group with a lateral
SELECT s.s_store_name, t.i_item_id, t.sales FROM tpcds.store s
CROSS JOIN LATERAL (SELECT i.i_item_id, sum(ss.ss_net_paid) AS sales FROM tpcds.store_sales ss JOIN tpcds.item i ON i.i_item_sk = ss.ss_item_sk WHERE ss.ss_store_sk = s.s_store_sk GROUP BY i.i_item_id ORDER BY sales DESC LIMIT 3) t
ORDER BY s.s_store_name, t.sales DESC

-- name: cube over two dimensions
SELECT d_year, s_state, sum(ss_net_paid) AS paid, GROUPING(d_year, s_state) AS level FROM tpcds.store_sales JOIN tpcds.date_dim ON d_date_sk = ss_sold_date_sk JOIN tpcds.store ON s_store_sk = ss_store_sk GROUP BY CUBE (d_year, s_state) ORDER BY level, 1, 2

-- name: grouping sets mixed with plain columns
SELECT i_category, d_qoy, count(*) FROM tpcds.store_sales JOIN tpcds.item ON i_item_sk = ss_item_sk JOIN tpcds.date_dim ON d_date_sk = ss_sold_date_sk GROUP BY i_category, GROUPING SETS ((d_qoy), ()) ORDER BY 1, 2

-- name: quartiles and medians
SELECT i_category, percentile_cont(0.5) WITHIN GROUP (ORDER BY ss_net_paid) AS median, percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY ss_net_paid) AS quartiles, mode() WITHIN GROUP (ORDER BY ss_quantity) AS usual FROM tpcds.store_sales, tpcds.item WHERE ss_item_sk = i_item_sk GROUP BY i_category

-- name: filtered aggregates by quarter
SELECT d_year, sum(ss_net_paid) FILTER (WHERE d_qoy = 1) AS q1, sum(ss_net_paid) FILTER (WHERE d_qoy = 2) AS q2, sum(ss_net_paid) FILTER (WHERE d_qoy = 3) AS q3, sum(ss_net_paid) FILTER (WHERE d_qoy = 4) AS q4 FROM tpcds.store_sales JOIN tpcds.date_dim ON ss_sold_date_sk = d_date_sk GROUP BY d_year ORDER BY d_year

-- name: moving average by range of days
SELECT d_date, paid, avg(paid) OVER (ORDER BY d_date RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW) AS week FROM (SELECT d_date, sum(ss_net_paid) AS paid FROM tpcds.store_sales JOIN tpcds.date_dim ON d_date_sk = ss_sold_date_sk GROUP BY d_date) d ORDER BY d_date LIMIT 60

-- name: named windows inheriting
SELECT i_item_id, i_current_price, row_number() OVER by_price AS place, ntile(4) OVER by_price AS quartile, cume_dist() OVER by_price, percent_rank() OVER by_price, first_value(i_item_id) OVER (by_price ROWS UNBOUNDED PRECEDING), nth_value(i_item_id, 2) OVER (by_price ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM tpcds.item WINDOW by_class AS (PARTITION BY i_class), by_price AS (by_class ORDER BY i_current_price DESC)

-- name: recursion over months
WITH RECURSIVE months (seq, total) AS (
    SELECT 12, 0::numeric UNION ALL
    SELECT m.seq + 1, m.total + (SELECT coalesce(sum(ws_net_paid), 0) FROM tpcds.web_sales JOIN tpcds.date_dim ON d_date_sk = ws_sold_date_sk WHERE d_month_seq = m.seq + 1) FROM months m WHERE m.seq < 24)
SELECT * FROM months

-- name: materialized and inlined expressions
WITH big AS MATERIALIZED (SELECT * FROM tpcds.store_sales WHERE ss_net_paid > 100), small AS NOT MATERIALIZED (SELECT * FROM tpcds.item WHERE i_current_price < 30)
SELECT count(*), sum(ss_quantity) FROM big JOIN small ON i_item_sk = ss_item_sk

-- name: values as a table of bands
SELECT band, count(*), sum(ss_net_paid) FROM tpcds.store_sales JOIN (VALUES (0, 100, 'low'), (100, 300, 'middle'), (300, 100000, 'high')) AS bands (least, most, band) ON ss_net_paid >= least AND ss_net_paid < most GROUP BY band ORDER BY 2

-- name: row comparison with a subquery
SELECT * FROM tpcds.store_sales WHERE (ss_item_sk, ss_ticket_number) IN (SELECT sr_item_sk, sr_ticket_number FROM tpcds.store_returns WHERE sr_return_amt > 80) ORDER BY ss_ticket_number LIMIT 20

-- name: quantified comparisons
SELECT i_item_id FROM tpcds.item WHERE i_current_price > ALL (SELECT avg(i_current_price) FROM tpcds.item GROUP BY i_category) AND i_brand_id = ANY (SELECT i_brand_id FROM tpcds.item WHERE i_color = 'plum') ORDER BY 1

-- name: natural and using joins in one tree
SELECT * FROM (SELECT ss_item_sk AS item_sk, sum(ss_quantity) AS sold FROM tpcds.store_sales GROUP BY 1) a JOIN (SELECT ws_item_sk AS item_sk, sum(ws_quantity) AS web FROM tpcds.web_sales GROUP BY 1) b USING (item_sk) NATURAL LEFT JOIN (SELECT cs_item_sk AS item_sk, sum(cs_quantity) AS mail FROM tpcds.catalog_sales GROUP BY 1) c ORDER BY item_sk

-- name: except all and intersect all
(SELECT ss_customer_sk FROM tpcds.store_sales EXCEPT ALL SELECT ws_bill_customer_sk FROM tpcds.web_sales) INTERSECT ALL (SELECT cs_bill_customer_sk FROM tpcds.catalog_sales) ORDER BY 1 LIMIT 10

-- name: fetch first with ties
SELECT s_store_name, count(*) AS n FROM tpcds.store_sales JOIN tpcds.store ON s_store_sk = ss_store_sk GROUP BY 1 ORDER BY n DESC FETCH FIRST 2 ROWS WITH TIES
